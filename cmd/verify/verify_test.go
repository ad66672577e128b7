package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/auditpack"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	entries "github.com/tallystick/tallystick/sync/entry"
)

// packed is a pack of two lanes and three days, with a void of an earlier day, a late lane,
// and the head office that wrote it.
func packed(t *testing.T) (string, *shop.Shop) {
	t.Helper()
	s := shop.New(t, books.New(t))
	one, two := s.Lane(t, "one"), s.Lane(t, "two")
	old := one.Sell(t, 2500, 20)
	two.Sell(t, 700, 0)
	one.CloseDay(t)
	two.CloseDay(t)
	one.Void(t, old)
	one.Sell(t, 100, 0)
	one.CloseDay(t)
	two.Deliver(t)
	one.Deliver(t)
	s.Round(t)
	two.Sell(t, 300, 50)
	two.CloseDay(t)
	two.CloseDay(t)
	one.CloseDay(t)
	one.Sell(t, 900, 0) // behind the last certificate
	for _, l := range []*shop.Lane{one, two} {
		l.Deliver(t)
	}
	s.Round(t)
	if got := s.Chain(t); len(got) != 3 {
		t.Fatalf("%d certificates", len(got))
	}
	return write(t, s), s
}

// write packs all of a shop's certified days.
func write(t *testing.T, s *shop.Shop) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pack")
	err := auditpack.Write(context.Background(), auditpack.Env{
		Store: s.DB, Clock: s.Clock, HQ: s.ID, Signer: s.Signer, Keys: s.HQ.Keys, MakeDir: auditpack.Folder,
	}, dir, []fleet.Store{s.Of}, 20260401)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func check(dir string, args ...string) (code int, said string) {
	var out, errs bytes.Buffer
	code = run(append(args, dir), &out, &errs)
	return code, out.String() + errs.String()
}

func TestAPackVerifies(t *testing.T) {
	dir, _ := packed(t)
	code, said := check(dir)
	if code != 0 || !strings.Contains(said, "all good") || !strings.Contains(said, "3 certificates") {
		t.Fatalf("%d %s", code, said)
	}
	keys := filepath.Join(t.TempDir(), "keys.json")
	raw, err := os.ReadFile(filepath.Join(dir, "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keys, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := check(dir, "--keys", keys); code != 0 {
		t.Errorf("%d %s", code, said)
	}
	other := bytes.Replace(raw, []byte(`"x":"`), []byte(`"x":"A`), 1)
	other = bytes.Replace(other, []byte(`","kid"`), []byte(`","kid"`), 1)
	if err := os.WriteFile(keys, other, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _ := check(dir, "--keys", keys); code != 1 {
		t.Errorf("somebody else's keys: %d", code)
	}
	if code, _ := check(filepath.Join(dir, "nothing")); code != 1 {
		t.Errorf("no folder: %d", code)
	}
	if code := run(nil, &bytes.Buffer{}, &bytes.Buffer{}); code != 2 {
		t.Errorf("no argument: %d", code)
	}
}

// Whatever byte of whatever file is changed, added or cut off, the pack is refused and the
// place is named.
func TestG6_AnyChangedByteOfAPackIsFound(t *testing.T) {
	dir, _ := packed(t)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		step := max(1, len(raw)/400) // of long files some, of short ones all
		try := func(what string, changed []byte) {
			if err := os.WriteFile(name, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			code, said := check(dir)
			// Of the list and its signature, either may be at fault.
			place := strings.TrimSuffix(filepath.Base(name), ".sig")
			if code != 1 || !strings.Contains(said, "NOT GOOD: ") || !strings.Contains(said, strings.TrimSuffix(place, ".json")) {
				t.Fatalf("%s: %s: %d %s", filepath.Base(name), what, code, said)
			}
		}
		for i := 0; i < len(raw); i += step {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << (i % 8)
			try("changed", changed)
		}
		try("cut", raw[:len(raw)-1])
		try("longer", append(bytes.Clone(raw), '\n'))
		return os.WriteFile(name, raw, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	if code, said := check(dir); code != 0 {
		t.Fatalf("put back: %s", said)
	}
	if err := os.WriteFile(filepath.Join(dir, "extra"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := check(dir); code != 1 || !strings.Contains(said, "extra") {
		t.Errorf("a file more: %d %s", code, said)
	}
}

// A pack states the version that it takes to verify it.
func TestAPackWithAForkIsOfTheSecondVersion(t *testing.T) {
	s := shop.New(t, books.New(t))
	one := s.Lane(t, "one")
	one.Sell(t, 1000, 0)
	one.Deliver(t)
	clone := one.Clone()
	clone.WriteOn(t, one.Date, entries.KindSale, clone.Sale(t, s.Ann, 77700, 0))
	one.CloseDay(t)
	one.Deliver(t)
	clone.Sync(t, 3)
	s.Apply(t)
	for _, x := range s.Exceptions(t, ledger.Fork) {
		settled := casework.Case{Shard: x.Shard, Exception: x.ID, Resolution: casework.Charged, Version: 1, ChangedAt: s.Clock.Now()}
		if err := s.DB.PutCase(t.Context(), settled); err != nil {
			t.Fatal(err)
		}
	}
	s.Round(t)
	dir := write(t, s)
	p, err := open(dir, "")
	if err != nil || p.list.Version != 2 {
		t.Fatalf("version %d, %v", p.list.Version, err)
	}
	if code, said := check(dir); code != 0 {
		t.Errorf("%d %s", code, said)
	}
}

// A pack that head office signed and that is newer than the program is not called bad: it
// says which version it is of, and what to do.
func TestANewerPackSaysSo(t *testing.T) {
	dir, s := packed(t)
	list := filepath.Join(dir, "pack.json")
	good, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		version string
		code    int
		said    string
	}{
		{`"version": 1`, 0, "all good"},
		{`"version": 2`, 0, "all good"},
		{`"version": 3, "colour": "blue"`, 3, "version 3 and this program verifies packs up to version 2"},
		{`"version": 2, "colour": "blue"`, 1, "colour"},
		{`"version": 0`, 1, "no version 0"},
	} {
		changed := bytes.Replace(good, []byte(`"version": 1`), []byte(c.version), 1)
		signature := s.Signer.Public.JWKID() + " " + base64.RawURLEncoding.EncodeToString(s.Signer.Sign(auditpack.Domain, changed)) + "\n"
		if err := errors.Join(os.WriteFile(list, changed, 0o600), os.WriteFile(filepath.Join(dir, "pack.sig"), []byte(signature), 0o600)); err != nil {
			t.Fatal(err)
		}
		if code, said := check(dir); code != c.code || !strings.Contains(said, c.said) {
			t.Errorf("%s: %d %s", c.version, code, said)
		}
	}
}

// A store's files are among those that were checked, also when head office itself names
// others.
func TestFilesOfAStoreAreListed(t *testing.T) {
	dir, _ := packed(t)
	p, err := open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	good := p.list.Stores[0]
	for name, change := range map[string]func(*storeOf){
		"certificates": func(s *storeOf) { s.Certificates = "../elsewhere.jwt" },
		"journal":      func(s *storeOf) { s.Journals = append([]string{"../../etc/passwd"}, s.Journals...) },
	} {
		s := good
		change(&s)
		if err := p.store(s, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "not among the listed files") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.store(good, &bytes.Buffer{}); err != nil {
		t.Errorf("as it was: %v", err)
	}
}

func FuzzJournalFile(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xa1, 0x01, 0xa2, 0x01, 0x50})
	f.Add([]byte{0xa1, 0x02, 0x41, 0x00})
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "j"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		p := &pack{folder: dir}
		if j, err := p.journal("j", map[string]*sale{}); err == nil && j.count > 0 {
			t.Fatalf("%d entries without a signature of anybody", j.count)
		}
	})
}
