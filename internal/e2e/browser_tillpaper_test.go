package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/printer"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// printedWithin is how long the way from a touch to the printer may take.
const printedWithin = 20 * time.Second

// TestTillPaperPage plays the stories of the till's page about receipts: a real lane with
// a printer in the network, and HQ that decides who gets what a receipt is worth.
func TestTillPaperPage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	policy := stage.DefaultPolicy
	policy.ClaimDays = 30
	must(t, s.Office.PutPolicy(t.Context(), policy))
	lane := s.lane(t, "lane 1")
	needBrowser(t, "http://"+lane.Addr+"/till/")
	address, papers := printer.Start(t, printer.Ready)
	without, _ := printer.Start(t, printer.Ready|printer.NoPaper)
	printAt := func(address string) error {
		if err := lane.Stop(t.Context()); err != nil {
			return err
		}
		lane.With("--printer", address)
		return errors.Join(lane.Start(t.Context()), lane.AwaitOnline(t.Context()))
	}
	must(t, printAt(address))
	shoppers := s.crowd(t, []string{"Gabi", "Kerem"}, 100)
	codes := map[string]string{}
	for _, one := range shoppers {
		codes[one.Alias] = one.Code
	}
	says := func(want, never string) func() error {
		return func() error {
			var raw []byte
			select {
			case raw = <-papers:
			case <-time.After(printedWithin):
				return errors.New("nothing was printed")
			}
			if !bytes.Contains(raw, []byte(want)) || bytes.Contains(raw, []byte(never)) {
				return fmt.Errorf("printed %q; want %q in it and not %q", raw, want, never)
			}
			return nil
		}
	}
	stories{
		script: "tillpaper.mjs",
		stage:  map[string]any{"till": "http://" + lane.Addr + "/till/", "codes": codes},
		actions: map[string]func() error{
			"original": says("18.25", "COPY"),
			"copy":     says("COPY", "KOPIA"),
			"polish":   says("18,25", "COPY"),
			"no-paper": func() error { return printAt(without) },
			"claimed": func() error {
				return stage.Until(t.Context(), "HQ gave Gabi what the receipt is worth", func() (bool, error) {
					m, err := s.Office.Member(t.Context(), shoppers[0].ID)
					return err == nil && m.Holding(stage.Points).Free == 100+40, err
				})
			},
		},
	}.play(t)
}
