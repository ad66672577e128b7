package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// maxCertificates bounds a store's file of certificates, in bytes.
const maxCertificates = 1 << 30

type certificate struct {
	HQ         string            `json:"iss"`
	Store      string            `json:"sub"`
	HQEpoch    uint32            `json:"hq_epoch"`
	Number     uint64            `json:"number"`
	Date       string            `json:"date"`
	Previous   string            `json:"previous"`
	CutAt      int64             `json:"cut_at"`
	Journals   []covered         `json:"journals"`
	Day        figures           `json:"day"`
	Late       []figures         `json:"late"`
	Exceptions []json.RawMessage `json:"exceptions"`
	Differs    int               `json:"differences"`
}

type covered struct {
	Terminal string          `json:"terminal"`
	Name     string          `json:"name"`
	Epoch    uint32          `json:"epoch"`
	First    uint64          `json:"first"`
	Last     uint64          `json:"last"`
	Head     string          `json:"head"`
	Over     string          `json:"over"`
	Gap      json.RawMessage `json:"gap"`
	Rejected []uint64        `json:"rejected"`
	Forks    json.RawMessage `json:"forks"` // head office's word: a pack has the covered branch
}

func (c covered) lane() lane { return lane{strings.ReplaceAll(c.Terminal, "-", ""), c.Epoch} }

// day is a certificate and what its entries add up to here.
type day struct {
	certificate
	sums map[uint32]*sum // by business date
}

// certify checks a store's certificates, their chain, and each figure in them.
func (p *pack) certify(s storeOf, journals map[lane]*journal, wanted map[string]*sale) (uint64, error) {
	raw, err := readWhole(p.path(s.Certificates), maxCertificates)
	if err != nil {
		return 0, err
	}
	var days []*day
	previous := ""
	for i, text := range bytes.Split(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n")) {
		where := fmt.Sprintf("%s line %d", s.Certificates, i+1)
		c, err := p.read(string(text))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", where, err)
		}
		switch {
		case c.Store != s.ID || c.HQ != p.list.HQ:
			return 0, fmt.Errorf("%s: it is of store %s of head office %s", where, c.Store, c.HQ)
		case c.Number != uint64(i)+1:
			return 0, fmt.Errorf("%s: it is number %d", where, c.Number)
		case c.Previous != previous:
			return 0, fmt.Errorf("%s: it names another certificate as the one before it", where)
		case i > 0 && (c.Date <= days[i-1].Date || c.CutAt < days[i-1].CutAt):
			return 0, fmt.Errorf("%s: it is not later than the one before it", where)
		}
		digest := sha256.Sum256(text)
		previous = hex.EncodeToString(digest[:])
		days = append(days, &day{c, map[uint32]*sum{}})
	}
	if len(days) == 0 || days[0].Date != s.From || days[len(days)-1].Date != s.To {
		return 0, fmt.Errorf("%s: it is not of %s to %s", s.Certificates, s.From, s.To)
	}
	if err := p.addUp(days, journals, wanted); err != nil {
		return 0, err
	}
	for _, d := range days {
		if err := d.compare(); err != nil {
			return 0, fmt.Errorf("certificate %d of %s: %w", d.Number, d.Date, err)
		}
	}
	return uint64(len(days)), nil
}

// read checks a certificate's signature: a JWT (RFC 7519) with EdDSA (RFC 8037).
func (p *pack) read(text string) (c certificate, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return c, errors.New("it is no JWT")
	}
	var raws [3][]byte
	for i, part := range parts {
		if raws[i], err = canonical(part); err != nil {
			return c, fmt.Errorf("it cannot be read: %w", err)
		}
	}
	var header struct{ Alg, Typ, Kid string }
	if err := json.Unmarshal(raws[0], &header); err != nil {
		return c, fmt.Errorf("its header cannot be read: %w", err)
	}
	key, known := p.keys[header.Kid]
	switch {
	case header.Alg != "EdDSA" || header.Typ != "store-day+jwt":
		return c, fmt.Errorf("it is a %s signed with %s, not one of a store's day", header.Typ, header.Alg)
	case !known:
		return c, fmt.Errorf("its key %q is not among head office's", header.Kid)
	case !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), raws[2]):
		return c, errors.New("its signature is not good")
	}
	if err := strict(raws[1], &c); err != nil {
		return c, fmt.Errorf("what it says cannot be read: %w: %w", err, errNewer)
	}
	return c, nil
}

// piece is what one certificate covers of one journal.
type piece struct {
	day         *day
	first, last uint64
	rejected    map[uint64]bool
}

// addUp checks what certificates cover and adds up the entries of each.
func (p *pack) addUp(days []*day, journals map[lane]*journal, wanted map[string]*sale) error {
	pieces := map[lane][]piece{}
	next := map[lane]uint64{}
	for _, d := range days {
		for _, c := range d.Journals {
			where := fmt.Sprintf("certificate %d of %s: journal %d of terminal %s", d.Number, d.Date, c.Epoch, c.Name)
			j := journals[c.lane()]
			if j == nil {
				return fmt.Errorf("%s: the folder has no file of it", where)
			}
			if want := max(next[j.lane], 1); c.First != want || c.Last+1 < c.First || c.Last > j.count {
				return fmt.Errorf("%s: it covers entries %d to %d, next is %d of %d", where, c.First, c.Last, want, j.count)
			}
			next[j.lane] = c.Last + 1
			if c.Last < c.First {
				continue
			}
			if got := hex.EncodeToString(j.hashes[c.Last-1][:]); got != c.Head {
				return fmt.Errorf("%s: entry %d has the hash %s, certified is %s", where, c.Last, got, c.Head)
			}
			rejected := map[uint64]bool{}
			for _, n := range c.Rejected {
				rejected[n] = true
			}
			pieces[j.lane] = append(pieces[j.lane], piece{d, c.First, c.Last, rejected})
		}
	}
	for at, list := range pieces {
		if err := p.addLane(journals[at].name, list, wanted); err != nil {
			return err
		}
	}
	return nil
}

// addLane adds the entries of one journal to the days that cover them.
func (p *pack) addLane(name string, list []piece, wanted map[string]*sale) error {
	_, _, err := p.walk(name, func(_ headRecord, n uint64, raw []byte) error {
		if len(list) > 0 && n > list[0].last {
			list = list[1:]
		}
		if len(list) == 0 || n < list[0].first || list[0].rejected[n] {
			return nil
		}
		return list[0].day.add(raw, wanted)
	})
	return err
}
