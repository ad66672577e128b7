package quarter

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Report is what a quarter came to.
type Report struct {
	Size         Size           `json:"size"`
	Engine       string         `json:"engine"`
	Counts       map[string]int `json:"counts"`
	Entries      int            `json:"entries"`
	Facts        int            `json:"facts"`
	Certificates int            `json:"certificates"`
	Statements   int            `json:"statements"`
	LateFigures  int            `json:"late_figures"` // of certificates: dates that were certified before
	Accounts     int            `json:"accounts"`
	Lots         int            `json:"lots"`
	Planted      []Planted      `json:"planted"`
	Withdrawn    int            `json:"withdrawn"` // exceptions that a later delivery explained
	Bounds       []bound        `json:"bounds"`    // of losses by redeeming offline
	Packs        Packs          `json:"packs"`
	Checks       []string       `json:"checks"` // in words, what was held against the truth and was equal
	Wrong        []string       `json:"wrong"`  // what was not as it is in truth
	Seconds      Seconds        `json:"seconds"`
	PeakMB       float64        `json:"peak_mb"` // of this process, head office in it
	Load         float64        `json:"load"`    // of the machine at the end, over a minute
}

// Planted is a kind of fraud or fault.
type Planted struct {
	Story   string `json:"story"`
	Kind    string `json:"kind"` // of the exception, or the code of the refusal
	Planted int    `json:"planted"`
	Found   int    `json:"found"`
}

// Packs is what became of audit packs.
type Packs struct {
	Written  int `json:"written"`
	Accepted int `json:"accepted"`
	Tampered int `json:"tampered"` // packs with one byte changed
	Refused  int `json:"refused"`  // of those, with the file named
}

// Seconds is how long the parts took.
type Seconds struct {
	Open    float64 `json:"open"`
	Trade   float64 `json:"trade"` // of the simulator, not of head office
	Deliver float64 `json:"deliver"`
	Apply   float64 `json:"apply"`
	Certify float64 `json:"certify"` // and sweeps, and people
	Settle  float64 `json:"settle"`  // of that and of the check: following the ledger, drafting and locking months
	Check   float64 `json:"check"`
	All     float64 `json:"all"`
}

const mostWrong = 50

func (r *Report) wrong(format string, args ...any) {
	if len(r.Wrong) == mostWrong {
		r.Wrong = append(r.Wrong, "and more")
	}
	if len(r.Wrong) < mostWrong {
		r.Wrong = append(r.Wrong, fmt.Sprintf(format, args...))
	}
}

func (r *Report) equal(format string, args ...any) {
	r.Checks = append(r.Checks, fmt.Sprintf(format, args...))
}

// worst is the highest share of a bound that was really lost.
func (r *Report) worst() (share float64) {
	for _, b := range r.Bounds {
		if b.Bound > 0 {
			share = max(share, float64(b.Real)/float64(b.Bound))
		}
	}
	return share
}

// Print writes the report for people.
func (r *Report) Print(out io.Writer) {
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	say("quarter of %d stores, %d lanes each, %d members, %d days, seed %d, on %s", r.Size.Stores, r.Size.Lanes, r.Size.Members, r.Size.Days, r.Size.Seed, r.Engine)
	say("  %-44s %10d", "entries", r.Entries)
	for _, name := range slices.Sorted(maps.Keys(r.Counts)) {
		say("  %-44s %10d", name, r.Counts[name])
	}
	say("  %-44s %10d", "certificates", r.Certificates)
	say("planted                                         kind                  planted   found")
	for _, p := range r.Planted {
		say("  %-45s %-22s %6d %7d", p.Story, p.Kind, p.Planted, p.Found)
	}
	say("losses by redeeming offline: worst real / bound %.3f of %d", r.worst(), len(r.Bounds))
	for _, c := range r.Checks {
		say("  equal: %s", c)
	}
	for _, x := range r.Wrong {
		say("  WRONG: %s", x)
	}
	s := r.Seconds
	say("time %.1f s: open %.1f, trade %.1f, deliver %.1f, apply %.1f, certify %.1f, check %.1f; settling %.1f of it; peak memory %.0f MB; load %.1f",
		s.All, s.Open, s.Trade, s.Deliver, s.Apply, s.Certify, s.Check, s.Settle, r.PeakMB, r.Load)
}

// timed adds what a part took.
func timed(into *float64, part func() error) error {
	began := time.Now()
	err := part()
	*into += time.Since(began).Seconds()
	return err
}
