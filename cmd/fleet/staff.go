package main

import (
	"context"

	"github.com/tallystick/tallystick/internal/testkit/hqclient"
)

// staff works at each store of the demo.
var staff = []hqclient.Cashier{
	{Name: "Ewa", Role: "cashier", PIN: "1111"},
	{Name: "Mehmet", Role: "cashier", PIN: "2222"},
	{Name: "Grace", Role: "manager", PIN: "9999"},
}

// largeVoid is above which a manager must approve a void or return, in minor units.
const largeVoid = 100_00

// cashiers hires them, and has the till pages ask who it is.
func (d *demo) cashiers(ctx context.Context) error {
	over := int64(largeVoid)
	for _, store := range []hqclient.Store{d.north, d.south} {
		for _, c := range staff {
			if _, err := d.Office.AddCashier(ctx, store.ID, c); err != nil {
				return err
			}
		}
		rules := hqclient.TillRules{SignIn: true, VoidOver: &over, ReturnOver: &over}
		if err := d.Office.PutTillRules(ctx, store.ID, rules); err != nil {
			return err
		}
	}
	d.t.fact("%d cashiers at each store sign in with a PIN; a void or return over %d.00 needs the manager's", len(staff), largeVoid/100)
	return nil
}
