package platter_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/platter"
)

func TestACutLeavesWhatWasSyncedAndSectorsOfTheRest(t *testing.T) {
	old, fresh := bytes.Repeat([]byte{1}, 4*platter.Sector), bytes.Repeat([]byte{2}, 4*platter.Sector)
	torn := 0
	for seed := range uint64(200) {
		d := platter.NewDir()
		f := d.Create("a")
		f.Write(old, 0)
		f.Sync()
		d.Sync()
		f.Write(fresh, 0)
		got := d.AfterCut(rand.New(rand.NewPCG(seed, 1))).Files["a"].Data
		for at := 0; at < len(got); at += platter.Sector {
			sector := got[at : at+platter.Sector]
			if !bytes.Equal(sector, old[:platter.Sector]) && !bytes.Equal(sector, fresh[:platter.Sector]) {
				t.Fatalf("seed %d: sector %d is neither old nor new", seed, at/platter.Sector)
			}
		}
		if !bytes.Equal(got, old) && !bytes.Equal(got, fresh) {
			torn++
		}
	}
	if torn == 0 {
		t.Error("no cut ever tore a write")
	}
}

func TestNamesSurviveInTheirOrder(t *testing.T) {
	found := map[string]bool{}
	for seed := range uint64(100) {
		d := platter.NewDir()
		d.Create("new").Write([]byte("x"), 0)
		if err := d.Rename("new", "whole"); err != nil {
			t.Fatal(err)
		}
		after := d.AfterCut(rand.New(rand.NewPCG(seed, 2)))
		names := after.Names()
		if len(names) > 1 {
			t.Fatalf("seed %d: %v", seed, names)
		}
		for _, name := range names {
			found[name] = true
		}
		found[""] = found[""] || len(names) == 0
	}
	if len(found) != 3 {
		t.Errorf("cuts left only %v", found)
	}
	d := platter.NewDir()
	if err := errors.Join(d.Rename("a", "b"), d.Remove("a")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
