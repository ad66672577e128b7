package quarter

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/process"
)

var seed = flag.Uint64("quarter.seed", 1, "the seed of the small quarter")

// A small quarter on SQLite: all that head office says is true, all that was planted is
// found, and nothing else.
func TestASmallQuarterIsAsItWas(t *testing.T) {
	size := Small
	size.Seed = *seed
	r, err := Play(t.Context(), size, blank.SQLite(t), auditor(t, 2, 1), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	r.Print(&text)
	t.Log(text.String())
	if len(r.Wrong) > 0 {
		t.Fatalf("%d things are not as they were, the first: %s", len(r.Wrong), r.Wrong[0])
	}
}

// TestTheWholeQuarterIsAsItWas is `make quarter`.
func TestTheWholeQuarterIsAsItWas(t *testing.T) {
	if os.Getenv("TALLYSTICK_QUARTER") == "" {
		t.Skip("set TALLYSTICK_QUARTER=1 (make quarter does)")
	}
	size := Whole
	chosen := int(size.Seed)
	for name, into := range map[string]*int{
		"SEED": &chosen, "STORES": &size.Stores, "LANES": &size.Lanes, "MEMBERS": &size.Members, "DAYS": &size.Days, "SALES": &size.Sales, "FRAUDS": &size.Frauds,
	} {
		n, err := benchtable.Setting("QUARTER_"+name, *into)
		if err != nil {
			t.Fatal(err)
		}
		*into = n
	}
	size.Seed = uint64(chosen)
	dsn := ""
	if os.Getenv("QUARTER_DB") == "sqlite" {
		dsn = blank.SQLite(t)
	} else {
		dsn = pg.Start(t).Database(t)
	}
	r, err := Play(t.Context(), size, dsn, auditor(t, 6, 20), os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	r.Print(os.Stdout)
	keep(t, r)
	if len(r.Wrong) > 0 {
		t.Fatalf("%d things are not as they were, the first: %s", len(r.Wrong), r.Wrong[0])
	}
}

// auditor has the program verify, as it ships.
func auditor(t *testing.T, stores, flips int) Auditor {
	t.Helper()
	bin, err := process.Build(t.Context(), t.TempDir(), "verify")
	if err != nil {
		t.Fatal(err)
	}
	return Auditor{Verify: bin.Path("verify"), Dir: t.TempDir(), Stores: stores, Flips: flips}
}

// keep writes build/quarter.json.
func keep(t *testing.T, r *Report) {
	t.Helper()
	dir, err := benchtable.Dir(".")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(filepath.Dir(dir), "quarter.json")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	fmt.Println("written to", name)
}
