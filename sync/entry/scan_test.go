package entry_test

import (
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/sync/entry"
)

// same says that a scan of these bytes takes only what decoding takes, and reads the same.
func same(t interface{ Fatalf(string, ...any) }, raw []byte) (taken bool) {
	scanned, ok := entry.ScanEnvelope(raw)
	if ok {
		if read, err := entry.ReadEnvelope(raw); err != nil || !reflect.DeepEqual(scanned, read) {
			t.Fatalf("scanned %+v, decoded %+v, %v", scanned, read, err)
		}
	}
	var sale entry.Sale
	good := entry.ScanSums(scanned.Body, &sale)
	if ok && good {
		if read, err := entry.ReadSums(scanned); err != nil || !reflect.DeepEqual(sale, read) {
			t.Fatalf("scanned %+v, decoded %+v, %v", sale, read, err)
		}
	}
	return ok && good
}

func FuzzScanTakesWhatDecodingTakes(f *testing.F) {
	for kind, body := range bodies() {
		raw, err := entry.Encode(envelope(kind), body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		same(t, raw)
		// The body by itself reaches farther into it than an envelope that must fit.
		var sale entry.Sale
		if entry.ScanSums(raw, &sale) {
			if read, err := entry.ReadSums(entry.Entry{Kind: entry.KindSale, Body: raw}); err != nil || !reflect.DeepEqual(sale, read) {
				t.Fatalf("scanned %+v, decoded %+v, %v", sale, read, err)
			}
		}
	})
}

func ids() *rapid.Generator[uuid.UUID] {
	return rapid.Custom(func(t *rapid.T) uuid.UUID {
		return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	})
}

func sales() *rapid.Generator[entry.Sale] {
	return rapid.Custom(func(t *rapid.T) entry.Sale {
		sale := entry.Sale{
			ID: ids().Draw(t, "id"), Account: rapid.SampledFrom([]uuid.UUID{{}, ids().Draw(t, "account")}).Draw(t, "member"),
			Total:   entry.Money{Currency: rapid.String().Draw(t, "currency"), Minor: rapid.Int64().Draw(t, "minor")},
			Cashier: rapid.String().Draw(t, "cashier"), RuleSet: rapid.Uint64().Draw(t, "rules"), Claim: ids().Draw(t, "claim"),
			Key: "key", KeyHash: make([]byte, 32), Hands: entry.Hands{CashierID: ids().Draw(t, "by"), TillRules: rapid.Uint64().Draw(t, "till rules")},
		}
		for range rapid.IntRange(0, 40).Draw(t, "lines") {
			sale.Lines = append(sale.Lines, entry.Line{No: rapid.Uint16().Draw(t, "no"), SKU: rapid.String().Draw(t, "sku"), Amount: rapid.Int64().Draw(t, "amount")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "earned") {
			sale.Earned = append(sale.Earned, entry.Earning{Unit: rapid.String().Draw(t, "unit"), Amount: rapid.Int64().Draw(t, "amount"), ExpiresAt: rapid.Int64().Draw(t, "expires")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "redeemed") {
			sale.Redeemed = append(sale.Redeemed, entry.Redemption{
				Right: ids().Draw(t, "right"), Unit: rapid.String().Draw(t, "unit"), Amount: rapid.Int64().Draw(t, "amount"),
				Basis: entry.Basis(rapid.Byte().Draw(t, "basis")), Discount: rapid.Int64().Draw(t, "discount"),
			})
		}
		return sale
	})
}

// What this release writes is read the quick way, and its sums are those of the whole sale.
func TestSumsAreThoseOfTheSale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sale := sales().Draw(t, "sale")
		e := entry.Entry{HLC: clock.Stamp(rapid.Uint64().Draw(t, "hlc")), OccurredAt: rapid.Int64().Draw(t, "at"), BusinessDate: entry.Date(rapid.Uint32().Draw(t, "date")), Kind: entry.KindSale}
		raw, err := entry.Encode(e, sale)
		if err != nil {
			t.Fatal(err)
		}
		if !same(t, raw) {
			t.Fatalf("%x is not read the quick way", raw)
		}
		e, err = entry.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		var got entry.Sale
		err = entry.DecodeSums(e, &got)
		want := entry.Sale{ID: sale.ID, Account: sale.Account, Total: sale.Total, Cashier: sale.Cashier, Claim: sale.Claim, Hands: entry.Hands{CashierID: sale.CashierID}}
		for _, x := range sale.Earned {
			want.Earned = append(want.Earned, entry.Earning{Unit: x.Unit, Amount: x.Amount})
		}
		for _, x := range sale.Redeemed {
			want.Redeemed = append(want.Redeemed, entry.Redemption{Unit: x.Unit, Amount: x.Amount, Basis: x.Basis, Discount: x.Discount})
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v; want %+v", got, err, want)
		}
	})
}

// A byte changed anywhere never makes the two ways of reading differ.
func TestG6_ChangedBytesReadTheSameBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw, err := entry.Encode(entry.Entry{Kind: entry.KindSale}, sales().Draw(t, "sale"))
		if err != nil {
			t.Fatal(err)
		}
		raw[rapid.IntRange(0, len(raw)-1).Draw(t, "place")] = rapid.Byte().Draw(t, "byte")
		same(t, raw)
	})
}

// What is not deterministic CBOR, or deeper than an entry may be, is left to decoding.
func TestScanLeavesTheUnusual(t *testing.T) {
	deep := []byte{0x80}
	for range 7 {
		deep = append([]byte{0x81}, deep...)
	}
	for name, body := range map[string]string{
		"head longer than needed":     "a1011801",
		"keys that fall":              "a2030001" + "00",
		"key twice":                   "a2010001" + "00",
		"open-ended map":              "bfff",
		"tag":                         "a11863" + "c000",
		"float":                       "a11863" + "f93c00",
		"deeper than entries are":     "a11863" + hex.EncodeToString(deep),
		"text that is not UTF-8":      "a1066" + "1ff",
		"bytes behind the end":        "a000",
		"ends early":                  "a101",
		"id of eight bytes":           "a10148" + "0102030405060708",
		"length beyond the end":       "a11863" + "5bffffffffffffffff",
		"a key that is a text":        "a1616100",
		"more pairs than an entry's":  "b841",
		"number beyond signed ones":   "a104a2" + "0163455552" + "021b8000000000000000",
		"a whole number as text":      "a106" + "01",
		"a level of currency unknown": "a104a1" + "0300",
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := hex.DecodeString(body)
			if err != nil {
				t.Fatal(err)
			}
			var sale entry.Sale
			if entry.ScanSums(raw, &sale) {
				t.Errorf("took it as %+v", sale)
			}
		})
	}
	raw, err := cbor.Marshal(map[int]any{1: 1, 2: 0, 3: 0, 4: 0, 5: 1, 6: map[int]int{}, 7: 0})
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := entry.ScanEnvelope(raw); ok {
		t.Errorf("took a key of a later release: %+v", e)
	}
	if _, err := entry.Decode(raw); err != nil {
		t.Errorf("a key of a later release: %v", err)
	}
}

func BenchmarkSums(b *testing.B) {
	raw, err := entry.Encode(envelope(entry.KindSale), fullSale())
	if err != nil {
		b.Fatal(err)
	}
	e, err := entry.Decode(raw)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("scanned", func(b *testing.B) {
		var sale entry.Sale
		for b.Loop() {
			if err := entry.DecodeSums(e, &sale); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decoded", func(b *testing.B) {
		for b.Loop() {
			if _, err := entry.ReadSums(e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
