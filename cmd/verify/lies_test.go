package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/auditpack"
	"github.com/tallystick/tallystick/server/storeday"
)

// forger rewrites a pack with head office's own key, so that no list and no signature of it
// gives a lie away.
type forger struct {
	t   *testing.T
	dir string
	hq  *shop.Shop
}

func (f forger) read(name string) []byte {
	f.t.Helper()
	raw, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(name)))
	if err != nil {
		f.t.Fatal(err)
	}
	return raw
}

func (f forger) write(name string, raw []byte) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, filepath.FromSlash(name)), raw, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f forger) list() (l listOf) {
	f.t.Helper()
	if err := json.Unmarshal(f.read(auditpack.ListFile), &l); err != nil {
		f.t.Fatal(err)
	}
	return l
}

// sign lists the files as they are now, and signs the list.
func (f forger) sign() {
	f.t.Helper()
	l := f.list()
	for name := range l.Files {
		sum := sha256.Sum256(f.read(name))
		l.Files[name] = hex.EncodeToString(sum[:])
	}
	raw, err := json.Marshal(l)
	if err != nil {
		f.t.Fatal(err)
	}
	f.write(auditpack.ListFile, raw)
	signature := base64.RawURLEncoding.EncodeToString(f.hq.Signer.Sign(auditpack.Domain, raw))
	f.write(auditpack.SignatureFile, []byte(f.hq.Signer.Public.JWKID()+" "+signature+"\n"))
}

// certificates signs the store's certificates anew, each naming the one before, with one of
// them changed.
func (f forger) certificates(which int, change func(*storeday.Certificate)) {
	f.t.Helper()
	name := f.list().Stores[0].Certificates
	previous, out := "", ""
	for i, text := range strings.Fields(string(f.read(name))) {
		c, err := storeday.Verify(text, f.hq.Keys())
		if err != nil {
			f.t.Fatal(err)
		}
		if c.Previous = previous; i == which {
			change(&c)
		}
		if text, err = c.Sign(f.hq.Signer); err != nil {
			f.t.Fatal(err)
		}
		previous, out = storeday.Digest(text), out+text+"\n"
	}
	f.write(name, []byte(out))
}

// journal changes the records of the store's first journal.
func (f forger) journal(change func(all []record) []record) {
	f.t.Helper()
	name := f.list().Stores[0].Journals[0]
	var all []record
	for rest := f.read(name); len(rest) > 0; {
		var r record
		var err error
		if rest, err = decoding.UnmarshalFirst(rest, &r); err != nil {
			f.t.Fatal(err)
		}
		all = append(all, r)
	}
	var out []byte
	for _, r := range change(all) {
		fields := map[int]any{}
		switch {
		case r.Head != nil:
			fields[1] = r.Head
		case r.Checkpoint != nil:
			fields[3] = r.Checkpoint
		default:
			fields[2] = r.Entry
		}
		raw, err := cbor.Marshal(fields)
		if err != nil {
			f.t.Fatal(err)
		}
		out = append(out, raw...)
	}
	f.write(name, out)
}

// Head office cannot change what terminals signed, nor what it has certified before, nor
// certify other figures than the entries give, though all its own signatures are good.
func TestG6_AHeadOfficeThatLiesIsFound(t *testing.T) {
	pack, hq := packed(t)
	for name, lie := range map[string]struct {
		want string
		tell func(f forger)
	}{
		"nothing": {"", func(f forger) { f.certificates(-1, nil) }},
		"an entry is changed": {"signature is of entry", func(f forger) {
			f.journal(func(all []record) []record { all[2].Entry[len(all[2].Entry)-1] ^= 1; return all })
		}},
		"an entry is left out": {"signature is of entry", func(f forger) {
			f.journal(func(all []record) []record { return append(all[:2:2], all[3:]...) })
		}},
		"the end of a journal is left out": {"no signature covers", func(f forger) {
			f.journal(func(all []record) []record { return all[:len(all)-1] })
		}},
		"the terminal did not sign": {"terminal's signature", func(f forger) {
			f.journal(func(all []record) []record { all[len(all)-1].Checkpoint.Signature[3] ^= 1; return all })
		}},
		"another head": {"certified is", func(f forger) {
			f.certificates(1, func(c *storeday.Certificate) { c.Journals[0].Head = strings.Repeat("0", 64) })
		}},
		"an entry in no certificate": {"it covers entries", func(f forger) {
			f.certificates(1, func(c *storeday.Certificate) { c.Journals[0].First++ })
		}},
		"more than there is": {"it covers entries", func(f forger) {
			f.certificates(2, func(c *storeday.Certificate) { c.Journals[0].Last += 100 })
		}},
		"another total": {"add up to", func(f forger) {
			f.certificates(0, func(c *storeday.Certificate) { c.Day.Money[0].Total++ })
		}},
		"an amount less": {"add up to", func(f forger) {
			f.certificates(0, func(c *storeday.Certificate) { c.Day.Amounts = c.Day.Amounts[1:] })
		}},
		"figures of a date without entries": {"figures of 3 dates", func(f forger) {
			f.certificates(2, func(c *storeday.Certificate) {
				c.Late = append(c.Late, storeday.Figures{Date: "2026-02-01"}, storeday.Figures{Date: "2026-02-02"})
			})
		}},
		"an entry counts for nothing": {"add up to", func(f forger) {
			f.certificates(0, func(c *storeday.Certificate) { c.Journals[0].Rejected = []uint64{2} })
		}},
		"another past": {"names another certificate", func(f forger) {
			f.certificates(1, func(c *storeday.Certificate) { c.Previous = strings.Repeat("0", 64) })
		}},
		"a number left out": {"it is number", func(f forger) {
			f.certificates(1, func(c *storeday.Certificate) { c.Number++ })
		}},
		"a date twice": {"not later", func(f forger) {
			f.certificates(1, func(c *storeday.Certificate) { c.Date = "2026-03-01" })
		}},
		"another store": {"it is of store", func(f forger) {
			f.certificates(1, func(c *storeday.Certificate) { c.Store[0] ^= 1 })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(pack)); err != nil {
				t.Fatal(err)
			}
			f := forger{t, dir, hq}
			lie.tell(f)
			f.sign()
			code, said := check(dir)
			if lie.want == "" && code != 0 || lie.want != "" && (code != 1 || !strings.Contains(said, lie.want)) {
				t.Errorf("%d %s, want %q", code, said, lie.want)
			}
		})
	}
}
