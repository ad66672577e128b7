package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// figures are those of a certificate, of one business date.
type figures struct {
	Date    string   `json:"date"`
	Entries uint64   `json:"entries"`
	Kinds   []kind   `json:"kinds"`
	Money   []money  `json:"money"`
	Amounts []amount `json:"amounts"`
}

type kind struct {
	Kind  string `json:"kind"`
	Count uint64 `json:"count"`
}

type money struct {
	Kind     string `json:"kind"`
	Currency string `json:"currency"`
	Count    uint64 `json:"count"`
	Total    int64  `json:"total"`
	Discount int64  `json:"discount"`
}

type amount struct {
	Kind   string `json:"kind"`
	Flow   string `json:"flow"`
	Unit   string `json:"unit"`
	Basis  string `json:"basis"`
	Count  uint64 `json:"count"`
	Amount int64  `json:"amount"`
}

// Numbers of the kinds of entries that figures are made of (docs/journal-format.md).
const (
	kindSale        = 2
	kindVoid        = 3
	kindReturn      = 4
	kindEnrolMember = 5
	kindDayClose    = 8
	kindClaim       = 11
)

var kindNames = map[uint16]string{
	1: "enrolled", kindSale: "sale", kindVoid: "void", kindReturn: "return", kindEnrolMember: "enrol_member", 6: "allowance_change",
	7: "witness", kindDayClose: "day_close", 9: "clock", 10: "note", kindClaim: "claim",
}

func kindName(k uint16) string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return "kind_" + strconv.Itoa(int(k))
}

var basisNames = []string{"", "allowance", "stand_in", "hq_authorised"}

// entry is the envelope of an entry, as far as it is needed.
type entry struct {
	Version uint8           `cbor:"1,keyasint"`
	Date    uint32          `cbor:"4,keyasint"`
	Kind    uint16          `cbor:"5,keyasint"`
	Body    cbor.RawMessage `cbor:"6,keyasint"`
}

type moneyOf struct {
	Currency string `cbor:"1,keyasint"`
	Minor    int64  `cbor:"2,keyasint"`
}

// sale is what a sale says, as far as figures need it.
type sale struct {
	ID     []byte  `cbor:"1,keyasint"`
	Total  moneyOf `cbor:"4,keyasint"`
	Earned []struct {
		Unit   string `cbor:"1,keyasint"`
		Amount int64  `cbor:"2,keyasint"`
	} `cbor:"12,keyasint"`
	Redeemed []struct {
		Unit     string `cbor:"3,keyasint"`
		Amount   int64  `cbor:"4,keyasint"`
		Basis    uint8  `cbor:"5,keyasint"`
		Discount int64  `cbor:"7,keyasint"`
	} `cbor:"13,keyasint"`
}

type void struct {
	Sale []byte `cbor:"2,keyasint"`
}

// voided notes the sales that the voids of a journal undo, to be kept when they are met.
func (p *pack) voided(name string, wanted map[string]*sale) error {
	_, _, err := p.walk(name, func(_ headRecord, _ uint64, raw []byte) error {
		var e entry
		var v void
		if decoding.Unmarshal(raw, &e) == nil && e.Kind == kindVoid && decoding.Unmarshal(e.Body, &v) == nil {
			wanted[string(v.Sale)] = nil
		}
		return nil
	})
	return err
}

// keep remembers an entry if it is a sale that some void undoes.
func keep(raw []byte, wanted map[string]*sale) {
	var e entry
	var s sale
	if decoding.Unmarshal(raw, &e) != nil || e.Kind != kindSale || decoding.Unmarshal(e.Body, &s) != nil {
		return
	}
	if _, ok := wanted[string(s.ID)]; ok {
		wanted[string(s.ID)] = &s
	}
}

// sum adds up the entries of one business date.
type sum struct {
	entries uint64
	kinds   map[uint16]uint64
	money   map[moneyKey]money
	amounts map[amountKey]amount
}

type moneyKey struct {
	kind     uint16
	currency string
}

type amountKey struct {
	kind  uint16
	flow  int // 1 earned, 2 redeemed
	unit  string
	basis uint8
}

// add counts one entry for the day that covers it.
func (d *day) add(raw []byte, wanted map[string]*sale) error {
	var e entry
	if decoding.Unmarshal(raw, &e) != nil || e.Version != 1 || e.Kind == kindDayClose {
		return nil // what cannot be read counts for nothing, and a close is none of its figures
	}
	today, err := dateOf(d.Date)
	if err != nil {
		return err
	}
	at := e.Date
	switch e.Kind {
	case kindSale, kindVoid, kindReturn, kindEnrolMember, kindClaim:
		if time.Date(int(at/10000), time.Month(at/100%100), int(at%100), 0, 0, 0, 0, time.UTC).Format("20060102") != strconv.Itoa(int(at)) {
			at = today // there is no such date
		}
	default:
		at = today // what a terminal notes for itself opens no day
	}
	s := d.sums[at]
	if s == nil {
		s = &sum{kinds: map[uint16]uint64{}, money: map[moneyKey]money{}, amounts: map[amountKey]amount{}}
		d.sums[at] = s
	}
	s.entries++
	s.kinds[e.Kind]++
	switch e.Kind {
	case kindSale:
		var b sale
		if decoding.Unmarshal(e.Body, &b) == nil {
			s.trade(kindSale, b)
		}
	case kindVoid:
		var v void
		if decoding.Unmarshal(e.Body, &v) == nil && wanted[string(v.Sale)] != nil {
			s.trade(kindVoid, *wanted[string(v.Sale)])
		}
	case kindReturn:
		var b struct {
			Refund moneyOf `cbor:"9,keyasint"`
		}
		if decoding.Unmarshal(e.Body, &b) == nil {
			s.pay(kindReturn, b.Refund.Currency, b.Refund.Minor, 0)
		}
	}
	return nil
}

func (s *sum) trade(k uint16, b sale) {
	var discount int64
	for _, r := range b.Redeemed {
		discount = plus(discount, r.Discount)
	}
	s.pay(k, b.Total.Currency, b.Total.Minor, discount)
	for _, e := range b.Earned {
		s.count(amountKey{k, 1, e.Unit, 0}, e.Amount)
	}
	for _, r := range b.Redeemed {
		s.count(amountKey{k, 2, r.Unit, r.Basis}, r.Amount)
	}
}

func (s *sum) pay(k uint16, currency string, total, discount int64) {
	m := s.money[moneyKey{k, currency}]
	s.money[moneyKey{k, currency}] = money{kindName(k), currency, m.Count + 1, plus(m.Total, total), plus(m.Discount, discount)}
}

func (s *sum) count(key amountKey, n int64) {
	a := s.amounts[key]
	basis := ""
	if key.basis > 0 && int(key.basis) < len(basisNames) {
		basis = basisNames[key.basis]
	} else if key.basis > 0 {
		basis = "basis_" + strconv.Itoa(int(key.basis))
	}
	s.amounts[key] = amount{kindName(key.kind), [3]string{"", "earned", "redeemed"}[key.flow], key.unit, basis, a.Count + 1, plus(a.Amount, n)}
}

// plus adds, and stays at the end of the numbers.
func plus(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}

func (s *sum) figures(date uint32) figures {
	f := figures{Date: fmt.Sprintf("%04d-%02d-%02d", date/10000, date/100%100, date%100), Entries: s.entries}
	for _, k := range slices.Sorted(maps.Keys(s.kinds)) {
		f.Kinds = append(f.Kinds, kind{kindName(k), s.kinds[k]})
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.money), func(a, b moneyKey) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.currency, b.currency))
	}) {
		f.Money = append(f.Money, s.money[k])
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.amounts), func(a, b amountKey) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.flow, b.flow), cmp.Compare(a.unit, b.unit), cmp.Compare(a.basis, b.basis))
	}) {
		f.Amounts = append(f.Amounts, s.amounts[k])
	}
	return f
}

// compare holds the certified figures against what the entries add up to.
func (d *day) compare() error {
	today, err := dateOf(d.Date)
	if err != nil {
		return err
	}
	if d.sums[today] == nil {
		d.sums[today] = &sum{}
	}
	certified := append([]figures{d.Day}, d.Late...)
	if len(certified) != len(d.sums) {
		return fmt.Errorf("it has figures of %d dates, its entries are of %d", len(certified), len(d.sums))
	}
	for _, want := range certified {
		date, err := dateOf(want.Date)
		if err != nil {
			return err
		}
		if d.sums[date] == nil {
			return fmt.Errorf("it has figures of %s and no entry of that date", want.Date)
		}
		if got := d.sums[date].figures(date); !reflect.DeepEqual(got, want) {
			return fmt.Errorf("the entries of %s add up to %+v, certified is %+v", want.Date, got, want)
		}
	}
	return nil
}

// dateOf reads YYYY-MM-DD as the number YYYYMMDD.
func dateOf(text string) (uint32, error) {
	n, err := strconv.ParseUint(strings.ReplaceAll(text, "-", ""), 10, 32)
	if err != nil || len(text) != 10 {
		return 0, errors.New(text + " is no date")
	}
	return uint32(n), nil
}
