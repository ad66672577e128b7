package posbooks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/posbooks"
)

// newTill is a stand with two lanes on which nothing was sold, days later.
func newTill(t *testing.T) *stand {
	s := newStand(t, books.New(t))
	s.Lane(t, "Lane 1")
	s.Lane(t, "Lane 2")
	s.Clock.Advance(40 * 24 * time.Hour)
	return s
}

func TestOddBooks(t *testing.T) {
	minutes := rules
	minutes.Columns = map[posbooks.Field]string{posbooks.FieldReceipt: "no", posbooks.FieldTime: "time", posbooks.FieldAmount: "amount", posbooks.FieldCurrency: "currency"}
	log := posbooks.Rules{Format: posbooks.POSLog, Expects: posbooks.ExpectAll}
	doc := posbooks.Rules{Format: posbooks.JSON, Expects: posbooks.ExpectAll}
	type sent struct {
		rules posbooks.Rules
		file  string
	}
	for name, tc := range map[string]struct {
		files []sent
		want  string
		bad   int64 // of the last file
	}{
		"a receipt twice in one file": {files: []sent{{rules, head + "1,Lane 1,2026-03-01 10:00,10.00,sale\n1,Lane 1,2026-03-01 10:00,10.00,sale\n"}}, want: `
2026-03-01 missing_here 1/  1000 open
2026-03-01 missing_here 1/  1000 open`},
		"a receipt on two lanes": {files: []sent{{rules, head + "1,Lane 1,2026-03-01 10:00,10.00,sale\n1,Lane 2,2026-03-01 10:00,10.00,sale\n"}}, want: `
2026-03-01 missing_here 1/  1000 open
2026-03-01 missing_here 1/  1000 open`},
		"amounts below zero": {files: []sent{{rules, head + "1,Lane 1,2026-03-01 10:00,-10.00,sale\n2,Lane 1,2026-03-01 10:00,-5.00,\n3,Lane 1,2026-03-01 10:00,-5.00,return\n"}}, bad: 1, want: `
2026-03-01 missing_here 2/  500 open
2026-03-01 missing_here 3/  500 open`},
		"currencies of no and of three decimals": {files: []sent{{minutes, "no,time,amount,currency\n1,2026-03-01 10:00,1.234,KWD\n2,2026-03-01 10:00,1234,JPY\n3,2026-03-01 10:00,12.5,JPY\n4,2026-03-01 10:00,12.0,JPY\n"}}, bad: 1, want: `
2026-03-01 missing_here 1/  1234 open
2026-03-01 missing_here 2/  1234 open
2026-03-01 missing_here 4/  12 open`},
		"the hour that is not there and the one that is twice": {files: []sent{{rules, head + "1,Lane 1,2026-03-29 02:30,1.00,sale\n2,Lane 1,2025-10-26 02:30,2.00,sale\n"}}, want: `
2025-10-26 missing_here 2/  200 open
2026-03-29 missing_here 1/  100 open`},
		"midnight": {files: []sent{{rules, head + "1,Lane 1,2026-03-01 24:00,1.00,sale\n2,Lane 1,2026-03-02 00:00,2.00,sale\n3,Lane 1,2026-03-01 23:59,3.00,sale\n"}}, bad: 1, want: `
2026-03-01 missing_here 3/  300 open
2026-03-02 missing_here 2/  200 open`},
		"a corrected file twice": {files: []sent{
			{rules, head + "1,Lane 1,2026-03-01 10:00,10.00,sale\n"},
			{rules, head + "1,Lane 1,2026-03-01 10:00,11.00,sale\n"},
			{rules, head + "1,Lane 1,2026-03-01 10:00,11.00,sale\n"},
		}, want: `2026-03-01 missing_here 1/  1100 open`},
		"the same day in three formats": {files: []sent{
			{rules, head + "1,Lane 1,2026-03-01 10:00,10.00,sale\n"},
			{doc, `{"receipts":[{"receipt":"1","lane":"Lane 1","time":"2026-03-01T09:00:00Z","amount":1200}]}`},
			{log, `<POSLog><Transaction><WorkstationID>Lane 1</WorkstationID><SequenceNumber>0001</SequenceNumber><EndDateTime>2026-03-01T10:00:00</EndDateTime><RetailTransaction><Total TotalType="TransactionGrossAmount">13.00</Total></RetailTransaction></Transaction></POSLog>`},
		}, want: `2026-03-01 missing_here 0001/  1300 open`},
		"a receipt that changes its day": {files: []sent{
			{rules, head + "1,Lane 1,2026-03-01 10:00,10.00,sale\n"},
			{rules, head + "1,Lane 1,2026-03-02 10:00,10.00,sale\n"},
		}, want: `
2026-03-01 missing_here 1/  1000 open
2026-03-02 missing_here 1/  1000 open`},
		"NUL bytes": {files: []sent{{rules, head + "1,Lane\x00 1,2026-03-01 10:00,10.00,sale\n2,Lane 1,2026-03-01 10:00,10.00,sale\n"}}, bad: 1, want: `2026-03-01 missing_here 2/  1000 open`},
		"marks of order": {files: []sent{{rules, "\ufeff" + head + "1,Lane 1,2026-03-01 10:00,10.00,sale\n\ufeff2,Lane 1,2026-03-01 10:00,10.00,sale\n"}}, want: `
2026-03-01 missing_here 1/  1000 open
2026-03-01 missing_here 2/  1000 open`},
		"a lane that sends invisible letters": {files: []sent{{rules, head + "1,Lane 1\u200b,2026-03-01 10:00,10.00,sale\n"}}, want: `2026-03-01 missing_here 1/  1000 open`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTill(t)
			var last posbooks.Import
			for _, f := range tc.files {
				if last = s.bring(f.rules, f.file); last.State != posbooks.Finished {
					t.Fatalf("%+v", last)
				}
			}
			if last.Bad != tc.bad {
				t.Errorf("%d bad rows", last.Bad)
			}
			s.want(tc.want)
		})
	}
}

// The same file by another mapping is another file: what it says now takes the place of what
// it said, and a mapping that is changed while a file waits does not change the file's.
func TestAMappingIsChangedInBetween(t *testing.T) {
	s := newTill(t)
	file := strings.ReplaceAll(head+"1,POS 1,2026-03-01 10:00,10.00,Umtausch\n", "\n", "\r\n")
	swap := rules
	swap.Kinds = map[string]string{"Umtausch": "sale"}
	m, err := s.books.PutMapping(t.Context(), ida, posbooks.Mapping{Name: "the till", Rules: swap})
	s.must(err)
	waits := s.begin(m.Rules, file)
	_, err = s.books.Run(t.Context(), s.Of.ID, waits.ID, m.Rules)
	s.must(err)
	m.Kinds = map[string]string{"Umtausch": "return"}
	_, err = s.books.PutMapping(t.Context(), ida, m)
	s.must(err)
	s.round()
	if got := s.kinds(); got != "sale" {
		t.Errorf("%s", got)
	}
	again := s.bring(m.Rules, file)
	if got := s.kinds(); got != "return" || again.Replaced != 1 {
		t.Errorf("%s, %+v", got, again)
	}
	m.Lanes = map[string]string{"POS 1": "Lane 1"}
	s.bring(m.Rules, file)
	if days, err := s.books.Days(t.Context(), s.Of.ID, 20260301, 20260301); err != nil || len(days) != 1 || days[0].MissingHere != 1 {
		t.Errorf("the row is there by the name of its lane before and the one behind: %+v, %v", days, err)
	}
}

// kinds lists those of the rows that count.
func (s *stand) kinds() string {
	s.t.Helper()
	rows, err := s.DB.PosRows(s.t.Context(), s.Of.ID, 20260301, 10)
	s.must(err)
	var out []string
	for _, r := range rows {
		out = append(out, r.Kind.String())
	}
	return strings.Join(out, ",")
}
