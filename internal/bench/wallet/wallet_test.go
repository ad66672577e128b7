//go:build linux

package wallet

import (
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/benchtable"
)

// rounds is how often each figure is taken; the median counts.
const rounds = 5

// TestWallet writes build/bench/wallet.json.
func TestWallet(t *testing.T) {
	if os.Getenv("TALLYSTICK_BENCH") == "" {
		t.Skip("set TALLYSTICK_BENCH=1 (make bench-wallet does)")
	}
	var results []benchtable.Result
	for _, m := range []struct {
		name    string
		measure func(*testing.T) []benchtable.Result
	}{
		{"pass_sign", passSign},
		{"refetch_unchanged", refetchUnchanged},
		{"update", updateAll},
	} {
		if !t.Run(m.name, func(t *testing.T) { results = append(results, m.measure(t)...) }) {
			t.FailNow()
		}
	}
	dir, err := benchtable.Dir(".")
	must(t, err)
	must(t, benchtable.Publish(os.Stdout, dir, "wallet", results))
	for _, missed := range benchtable.Missed(results) {
		t.Errorf("%s is %.3g %s (ratio %.3g), the target is %s", missed.Name, missed.Value, missed.Unit, missed.Ratio, missed.Target)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
