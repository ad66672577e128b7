package ledger

import (
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/loyalty"
)

// mostExpiring bounds the list of what expires of a unit.
const mostExpiring = 100

// Units is what an account has of one unit, as its member is shown it.
type Units struct {
	Unit      string
	Spendable int64 // free and set aside for tills, together
	Pending   int64
	Overdraft int64
	Expiring  []Expiring // soonest first
}

// Expiring is how much of a unit is lost at a time.
type Expiring struct {
	Amount int64
	At     time.Time
}

// Units lists them by name. The uses of vouchers are left out: they are shown with the
// vouchers.
func (a Account) Units(now time.Time) []Units {
	out := []Units{}
	for _, h := range a.Holdings {
		if strings.HasPrefix(h.Unit, loyalty.UseUnit("")) {
			continue
		}
		u := Units{Unit: h.Unit, Spendable: h.Free + h.Allowance, Pending: h.Pending, Overdraft: h.Overdraft}
		at := map[int64]int64{}
		for _, l := range h.Lots {
			if l.Left > 0 && !l.Pending && !l.Voided && l.ExpiresAt > now.UnixMilli() {
				at[l.ExpiresAt] += l.Left
			}
		}
		for ms, amount := range at {
			u.Expiring = append(u.Expiring, Expiring{amount, time.UnixMilli(ms).UTC()})
		}
		slices.SortFunc(u.Expiring, func(a, b Expiring) int { return a.At.Compare(b.At) })
		u.Expiring = u.Expiring[:min(len(u.Expiring), mostExpiring)]
		out = append(out, u)
	}
	slices.SortFunc(out, func(a, b Units) int { return strings.Compare(a.Unit, b.Unit) })
	return out
}
