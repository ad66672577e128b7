package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// clearingPrice is what stores owe each other for 1,000 points, in minor units.
const clearingPrice = 10_00

// franchise gives the stores to two franchisees, and says what points are worth between them.
func (d *demo) franchise(ctx context.Context) error {
	since := time.Now().AddDate(0, -1, 0).Format(time.DateOnly)
	for _, of := range []struct {
		store hqclient.Store
		party hqclient.Party
	}{
		{d.north, hqclient.Party{Code: "NORTH", Name: "North Street Coffee GmbH", Currency: stage.Currency, Language: "en"}},
		{d.south, hqclient.Party{Code: "SOUTH", Name: "South Gate Bakery KG", Currency: stage.Currency, Language: "en"}},
	} {
		party, err := d.Office.CreateParty(ctx, of.party)
		if err != nil {
			return err
		}
		if err := d.Office.AddTerm(ctx, hqclient.Term{Assignment: &hqclient.Assignment{Store: of.store.ID, Party: party.ID, From: since}}); err != nil {
			return err
		}
	}
	d.t.fact("each store belongs to a franchisee; 1,000 points earned at one and spent at the other are worth %d.00 %s",
		clearingPrice/100, stage.Currency)
	return d.Office.AddTerm(ctx, hqclient.Term{Price: &hqclient.ClearingPrice{
		Unit: stage.Points, Currency: stage.Currency, From: since, PerThousand: clearingPrice,
	}})
}

// tiers makes silver and gold of those who earn enough within a year.
func (d *demo) tiers(ctx context.Context) error {
	d.t.fact("tiers: silver for 40 points earned within a year, gold for 500")
	return d.Office.PutTiers(ctx, hqclient.Tiers{Unit: stage.Points, Days: 365, Zone: "Europe/Berlin", Levels: []hqclient.Level{
		{Key: "silver", Names: map[string]string{"en": "Silver", "tr": "Gümüş", "pl": "Srebrny"}, Threshold: 40, Colour: "#8a9299"},
		{Key: "gold", Names: map[string]string{"en": "Gold", "tr": "Altın", "pl": "Złoty"}, Threshold: 500, Colour: "#a6781e"},
	}})
}

// endOfDay closes the day of the south store, and has its certificate verified.
func (d *demo) endOfDay(ctx context.Context) error {
	var date string
	for _, l := range []*stage.Lane{d.s1, d.s2} {
		closed, err := l.CloseDay(ctx, "evening")
		if err != nil {
			return err
		}
		date = closed.BusinessDate
		d.t.fact("%s closes %s with entries %d to %d", l.Name, date, closed.Figures.FirstSeq, closed.Figures.LastSeq)
	}
	var text string
	if err := stage.Until(ctx, date+" is certified", func() (_ bool, err error) {
		text, err = d.Office.DayCertificate(ctx, d.south.ID, date)
		if problem.CodeOf(err) == problem.NotFound {
			return false, nil
		}
		return err == nil, err
	}); err != nil {
		return err
	}
	d.t.fact("HQ worked its own figures out of the entries, found the lanes' the same, and signed them")
	file := filepath.Join(d.Dir, "south-"+date+".jwt")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("keep the certificate: %w", err)
	}
	out, err := d.HQ.VerifyCertificates(ctx, file)
	if err == nil && !strings.HasPrefix(out, "good  ") {
		err = errors.New("the certificate is not good: " + out)
	}
	if err != nil {
		return err
	}
	d.t.fact("with nothing but HQ's published keys: %s", out)
	d.t.look("%s verify-certificate --keys %s/.well-known/jwks.json %s", d.Bin.Path("hq"), d.HQ.URL(), file)
	d.t.say("The north store is still open: close it on its till pages.")
	return nil
}
