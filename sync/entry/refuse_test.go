package entry_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/tallystick/tallystick/sync/entry"
)

// An entry that is journalled and cannot be read again is an acknowledged sale lost.
func TestG3_EncodeRefusesWhatCannotBeReadAgain(t *testing.T) {
	sale := entry.Entry{Kind: entry.KindSale}
	for name, tt := range map[string]struct {
		envelope entry.Entry
		body     any
	}{
		"text that is not UTF-8": {sale, entry.Sale{Cashier: "caf\xe9"}},
		"too many lines":         {sale, entry.Sale{Lines: make([]entry.Line, 4097)}},
		"no kind":                {entry.Entry{}, entry.Sale{}},
		"no body":                {sale, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if raw, err := entry.Encode(tt.envelope, tt.body); !errors.Is(err, entry.ErrUnreadable) {
				t.Errorf("encoded %d bytes, %v", len(raw), err)
			}
		})
	}
	big := entry.Sale{RuleSet: 1<<64 - 1, Redeemed: []entry.Redemption{{Amount: 1<<63 - 1}}}
	for _, body := range []any{big, &big} {
		if _, err := entry.Encode(sale, body); err != nil {
			t.Errorf("%T: %v", body, err)
		}
	}
}

func TestUnknownValuesAreNotNamedAsKnownOnes(t *testing.T) {
	if got := entry.Basis(4).String(); got != "basis_4" {
		t.Error(got)
	}
	if got := entry.Freshness(255).String(); got != "freshness_255" {
		t.Error(got)
	}
	if entry.BasisHQAuthorised.String() != "hq_authorised" || entry.FreshnessKeyed.String() != "keyed" {
		t.Error("known values lost their names")
	}
}

// One field must have one meaning whatever reads it.
func TestG6_AmbiguousBodiesAreUnreadable(t *testing.T) {
	const id = "50" + "0102030405060708090a0b0c0d0e0f10"
	for name, body := range map[string]string{
		"short id":                     "a1" + "01" + "43010203",
		"empty id":                     "a1" + "01" + "40",
		"key twice":                    "a2" + "01" + id + "01" + id,
		"key twice, once in two bytes": "a2" + "01" + id + "1801" + id,
		"reason out of range":          "a1" + "05" + "190101",
		"negative reason":              "a1" + "05" + "20",
		"floating reason":              "a1" + "05" + "f93c00",
		"tagged id":                    "a1" + "01" + "d825" + id,
		"open-ended map":               "bf" + "01" + id + "ff",
		"bytes behind the end":         "a0" + "00",
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := hex.DecodeString(body)
			if err != nil {
				t.Fatal(err)
			}
			if v, err := entry.DecodeBody[entry.Void](entry.Entry{Kind: entry.KindVoid, Body: raw}); !errors.Is(err, entry.ErrUnreadable) {
				t.Errorf("read %+v, %v", v, err)
			}
		})
	}
}
