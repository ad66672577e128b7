package entry_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"math"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/sync/entry"
)

var update = flag.Bool("update", false, "rewrite golden files")

func id(b byte) uuid.UUID { return uuid.UUID{0: b, 15: b} }

func fullSale() entry.Sale {
	return entry.Sale{
		ID: id(1), Member: id(2), Account: id(3), Total: entry.Money{Currency: "EUR", Minor: 12345},
		Receipt: "R-17", Cashier: "c4", RuleSet: 7, Policy: 3, Freshness: entry.FreshnessRotating,
		Code:  &entry.Code{Subject: id(2), KeyID: 1, Issue: 2, Step: 59_333_333},
		Lines: []entry.Line{{No: 1, SKU: "4006381333931", Quantity: 2000, Amount: 12345, Category: "wine"}},
		Earned: []entry.Earning{
			{Unit: "points", Amount: 103, VestsAt: 1_781_000_000_000, ExpiresAt: 1_812_000_000_000},
		},
		Redeemed: []entry.Redemption{
			{Reward: id(5), Unit: "points", Amount: 200, Basis: entry.BasisStandIn, Discount: 500},
			{Reward: id(6), Voucher: id(7), Amount: 1, Basis: entry.BasisStandIn, Discount: 1500},
		},
		Key: "pos-1-0001", KeyHash: bytes.Repeat([]byte{0xAB}, 32), Online: true,
	}
}

func fullReturn() entry.Return {
	return entry.Return{
		ID: id(13), Sale: id(1), Origin: id(8), OriginEpoch: 1, OriginSeq: 17, Member: id(2), Account: id(3),
		Lines:   []entry.ReturnLine{{No: 1, Quantity: 500, Amount: 3086}, {No: 2, Quantity: 1000}},
		Refund:  entry.Money{Currency: "EUR", Minor: 2500},
		Receipt: "R-18", SaleReceipt: "R-17", Cashier: "c4", RuleSet: 7, Matched: true,
		Key: "pos-1-0002", KeyHash: bytes.Repeat([]byte{0xCD}, 32), Whole: true,
	}
}

func fullClose() entry.DayClose {
	return entry.DayClose{
		Date: 20261121, First: 2, Last: 99, Head: bytes.Repeat([]byte{0xEF}, 32),
		Kinds: []entry.DayKind{{Kind: entry.KindSale, Count: 90}, {Kind: entry.KindVoid, Count: 1}},
		Money: []entry.DayMoney{
			{Kind: entry.KindSale, Currency: "EUR", Count: 90, Total: 123456, Discount: 500},
			{Kind: entry.KindReturn, Currency: "EUR", Count: 2, Total: 900, Unmatched: 1},
		},
		Amounts: []entry.DayAmount{
			{Kind: entry.KindSale, Flow: entry.DayEarned, Unit: "points", Count: 80, Amount: 1200},
			{Kind: entry.KindSale, Flow: entry.DayRedeemed, Basis: entry.BasisAllowance, Count: 1, Amount: 1, Discount: 500},
		},
		Cashiers: []entry.DayCashier{
			{Cashier: "c4", Currency: "EUR", Sales: 90, Voids: 1, Returns: 2, Taken: 122956, Undone: 100, Refunded: 900},
			{Currency: "EUR", Sales: 1, Others: true},
		},
		Claims: 3, Holds: []entry.DayHold{{Quote: id(14), Member: id(2), Account: id(3), Unit: "points", Amount: 100}}, Held: 1, Waiting: 98,
		Reason: entry.DayCloseByHand, Cashier: "c4", Key: "d", KeyHash: make([]byte, 32),
	}
}

func envelope(kind entry.Kind) entry.Entry {
	at := time.Date(2026, 11, 21, 18, 30, 0, 0, time.UTC)
	return entry.Entry{HLC: clock.NewStamp(at, 1), OccurredAt: at.UnixMilli(), BusinessDate: 20261121, Kind: kind}
}

// bodies has one of each kind a terminal writes today.
func bodies() map[entry.Kind]any {
	return map[entry.Kind]any{
		entry.KindEnrolled: entry.Enrolled{Terminal: id(8), Store: id(9), Epoch: 1, PublicKey: make([]byte, 32), HQ: id(10), Software: "1.0"},
		entry.KindSale:     fullSale(),
		entry.KindVoid: entry.Void{
			ID: id(11), Sale: id(1), Member: id(2), Account: id(3), Reason: entry.VoidLostAnswer,
			Key: "v", KeyHash: make([]byte, 32),
		},
		entry.KindReturn:   fullReturn(),
		entry.KindDayClose: fullClose(),
		entry.KindWitness:  entry.Witness{Writer: id(12), Epoch: 1, Seq: 9, Hash: make([]byte, 32)},
		entry.KindClock:    entry.Clock{Jump: -86_400_000, Wall: 1},
		entry.KindNote:     entry.Note{Code: entry.NoteCacheRebuilt, Values: []int64{-1, 2}},
	}
}

// TestBytesAreFinal compares every kind with the bytes of the first release.
func TestBytesAreFinal(t *testing.T) {
	for kind, body := range bodies() {
		t.Run(kind.String(), func(t *testing.T) {
			raw, err := entry.Encode(envelope(kind), body)
			if err != nil {
				t.Fatal(err)
			}
			golden := "testdata/" + kind.String() + ".hex"
			text := hex.EncodeToString(raw) + "\n"
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if text != string(want) {
				t.Errorf("bytes changed:\n%swant\n%s", text, want)
			}
		})
	}
}

func TestSaleRoundTrip(t *testing.T) {
	raw, err := entry.Encode(envelope(entry.KindSale), fullSale())
	if err != nil {
		t.Fatal(err)
	}
	e, err := entry.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if e.Kind != entry.KindSale || e.V != entry.Version || e.BusinessDate.String() != "2026-11-21" {
		t.Errorf("envelope %+v", e)
	}
	sale, err := entry.DecodeBody[entry.Sale](e)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullSale(), sale); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good, err := entry.Encode(envelope(entry.KindNote), entry.Note{Code: entry.NoteStarted})
	if err != nil {
		t.Fatal(err)
	}
	newer := bytes.Clone(good)
	newer[2] = entry.Version + 1 // map header, key 1, value
	tests := []struct {
		name string
		raw  []byte
		want error
	}{
		{"nothing", nil, entry.ErrUnreadable},
		{"cut short", good[:len(good)-1], entry.ErrUnreadable},
		{"trailing byte", append(bytes.Clone(good), 0), entry.ErrUnreadable},
		{"no map", []byte{0x01}, entry.ErrUnreadable},
		{"empty map", []byte{0xA0}, entry.ErrUnreadable},
		{"duplicate key", []byte{0xA2, 0x01, 0x01, 0x01, 0x01}, entry.ErrUnreadable},
		{"newer version", newer, entry.ErrVersion},
		{"too large", make([]byte, entry.MaxSize+1), entry.ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := entry.Decode(tt.raw); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	t.Run("encode too large", func(t *testing.T) {
		big := entry.Sale{Receipt: string(bytes.Repeat([]byte("x"), entry.MaxSize))}
		if _, err := entry.Encode(envelope(entry.KindSale), big); !errors.Is(err, entry.ErrTooLarge) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("body of another shape", func(t *testing.T) {
		e, err := entry.Decode(good)
		if err != nil {
			t.Fatal(err)
		}
		e.Body = []byte{0x01}
		if _, err := entry.DecodeBody[entry.Sale](e); !errors.Is(err, entry.ErrUnreadable) {
			t.Errorf("got %v", err)
		}
	})
}

func TestUnknownKeysAreIgnored(t *testing.T) {
	raw, err := entry.Encode(envelope(entry.KindNote), map[int]any{1: 1, 60: "from the future"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := entry.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if note, err := entry.DecodeBody[entry.Note](e); err != nil || note.Code != entry.NoteStarted {
		t.Errorf("%+v, %v", note, err)
	}
}

func FuzzDecode(f *testing.F) {
	for kind, body := range bodies() {
		raw, err := entry.Encode(envelope(kind), body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := entry.Decode(raw)
		if err != nil {
			return
		}
		sale, err := entry.DecodeBody[entry.Sale](e)
		if err != nil {
			return
		}
		// What can be read can be written, and reads the same again.
		again, err := entry.Encode(e, sale)
		if err != nil {
			t.Skip("over the size limit with defaults written out")
		}
		e2, err := entry.Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		sale2, err := entry.DecodeBody[entry.Sale](e2)
		if err != nil {
			t.Fatal(err)
		}
		first, _ := entry.Encode(e, sale)
		second, _ := entry.Encode(e2, sale2)
		if !bytes.Equal(first, second) {
			t.Fatal("not stable")
		}
	})
}

func TestMomentCanAlwaysBeWritten(t *testing.T) {
	for ms, want := range map[int64]string{
		math.MinInt64:       "0000-01-01T00:00:00Z",
		-62167219200001:     "0000-01-01T00:00:00Z",
		0:                   "1970-01-01T00:00:00Z",
		253402300799999:     "9999-12-31T23:59:59.999Z",
		253402300799999 + 1: "9999-12-31T23:59:59.999Z",
		math.MaxInt64:       "9999-12-31T23:59:59.999Z",
	} {
		raw, err := entry.Moment(ms).MarshalText()
		if err != nil || string(raw) != want {
			t.Errorf("%d: %s, %v, want %s", ms, raw, err, want)
		}
	}
}
