package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/phones"
	"github.com/tallystick/tallystick/internal/testkit/process"
)

// playPhones plays phones with passes of a real hq and returns what it did wrong.
func playPhones(t *testing.T, bin process.Binaries, story phones.Story) []phones.Violation {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "processes.log")
	log, err := os.Create(name)
	must(t, err)
	t.Cleanup(func() {
		_ = log.Close() // a log of a test
		if t.Failed() {
			showEnd(t, name)
		}
	})
	// Phones of a shop may be told every ten seconds; nobody waits for that here.
	company, err := phones.Open(t.Context(), bin, dir, log, "--wallet-push-gap", "200ms", "--wallet-look-gap", "200ms")
	must(t, err)
	t.Cleanup(func() {
		if err := company.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	fleet := company.Fleet(t.Context())
	defer fleet.Close()
	story.Tell = t.Logf
	must(t, story.Play(t.Context(), fleet, company))
	for _, complaint := range company.Double.Complaints() {
		t.Errorf("the push service complains: %s", complaint)
	}
	t.Logf("%+v", fleet.Figures())
	return fleet.Violations()
}

// Phones with passes show the last balance, and fetch nothing twice, while Apple refuses
// pushes, phones change, and HQ is killed.
func TestG4_NoPhoneMissesAnUpdateWhenHQIsKilled(t *testing.T) {
	t.Parallel()
	story := phones.Story{Phones: 200, Waves: 1, Patience: 30 * time.Second}
	if os.Getenv("TALLYSTICK_SOAK") != "" {
		story = phones.Story{Phones: fromEnvironment(t, "TALLYSTICK_PHONES", 10_000), Waves: 2, Trouble: 2, Patience: 2 * time.Minute}
	}
	for _, v := range playPhones(t, binaries(t), story) {
		t.Error(v)
	}
}

// The story sees an HQ that drops a push which failed, and one that tells phones of what
// has not changed. Each build takes a while, so this is for `make soak`.
func TestSoakPhonesSeeABrokenHQ(t *testing.T) {
	if os.Getenv("TALLYSTICK_SOAK") == "" {
		t.Skip("TALLYSTICK_SOAK is not set")
	}
	for _, tc := range []struct{ name, file, line, wrong, want string }{
		{
			"a push that failed is dropped", "server/pass/push.go",
			"p.DueAt = now.Add(waitFor(p.Attempts, min(firstWait, s.o.Settings.UrgentGap), r.After))", "", "update lost",
		},
		{
			"each look is a change", "server/pass/settle.go",
			"c := change{was: d.pass, is: d.pass, changed: changedBy(d, look)}", "c := change{was: d.pass, is: d.pass, changed: true}", "needless pushes",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			broken := playPhones(t, wrongHQ(t, tc.file, tc.line, tc.wrong), phones.Story{Phones: 100, Waves: 1, Patience: 5 * time.Second})
			if !slices.ContainsFunc(broken, func(v phones.Violation) bool { return strings.Contains(v.What, tc.want) }) {
				t.Errorf("%d violations, none of %q: %v", len(broken), tc.want, broken[:min(5, len(broken))])
			}
		})
	}
}
