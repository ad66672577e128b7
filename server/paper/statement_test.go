package paper

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/sync/entry"
)

// settled is a statement with a note and two currencies.
func settled(language string) *Statement {
	party := clearing.Party{ID: id(21), Code: "F-01", Name: "Köşe Gıda A.Ş.", TaxNumber: "1234567890", Address: "Çarşı Cad. 5\n34000 İstanbul", Currency: "TRY", Language: language}
	programme := clearing.Party{Code: "HQ", Name: "Złoty Klub sp. z o.o.", Language: "pl", Currency: "PLN"}
	other := clearing.Party{ID: id(22), Code: "F-02", Name: "Łódzkie Sklepy", Language: "pl", Currency: "PLN"}
	s := NewStatement(clearing.Statement{
		Party: party, Programme: programme, Month: 202603, State: clearing.Locked, Number: "F-01/2026/3", CutAt: 1775217600000, LockedAt: 1775304000000,
		Totals: []clearing.Total{{Currency: "PLN", Owed: 0, Owes: 1500, Net: -1500}, {Currency: "TRY", Owed: 123456, Owes: 3456, Net: 120000}},
		Groups: []clearing.Group{
			{Counterparty: other, Kind: clearing.KindRedeemed, Unit: "points", Currency: "TRY", Points: 61728, Owed: 123456, Lines: 2},
			{Counterparty: programme, Kind: clearing.KindFee, Fee: "service", Unit: "points", Currency: "TRY", Points: 61728, Owes: 3456, Lines: 1},
			{Counterparty: other, Kind: clearing.KindRedeemed, Unit: clearing.UnitUses, Currency: "PLN", Of: 202602, Points: 3, Owes: 1500, Lines: 1},
		},
		Notes:   []clearing.Note{{Number: "F-01/2026/4", Of: 202602, OfNumber: "F-01/2026/1", Totals: []clearing.Total{{Currency: "PLN", Owes: 1500, Net: -1500}}}},
		Remarks: []clearing.Remark{{What: "uncertified_days", Store: "S-9", Count: 2}},
	})
	for _, l := range []clearing.Line{
		{Kind: clearing.KindRedeemed, From: other.ID, To: party.ID, Unit: "points", Day: 20260301, Points: 60000, Credit: clearing.Amount{Currency: "TRY", Minor: 120000}},
		{Kind: clearing.KindRedeemed, From: other.ID, To: party.ID, Unit: "points", Day: 20260301, Points: 1728, Credit: clearing.Amount{Currency: "TRY", Minor: 3456}},
		{Kind: clearing.KindFee, Fee: "service", From: party.ID, Unit: "points", Day: 20260301, Points: 61728, Debit: clearing.Amount{Currency: "TRY", Minor: 3456}},
		{Kind: clearing.KindRedeemed, From: party.ID, To: other.ID, Unit: clearing.UnitUses, Day: 20260214, Points: 3, Debit: clearing.Amount{Currency: "PLN", Minor: 1500}, Of: 202602},
	} {
		s.Add(l)
	}
	return s
}

func written(t *testing.T, s *Statement) string {
	t.Helper()
	raw, err := s.PDF()
	again, err2 := s.PDF()
	if err != nil || err2 != nil || !bytes.Equal(raw, again) {
		t.Fatalf("%d and %d bytes, %v, %v", len(raw), len(again), err, err2)
	}
	file := filepath.Join(t.TempDir(), "statement.pdf")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAStatementIsInTheLanguageOfItsParty(t *testing.T) {
	for _, language := range []string{"en", "tr-TR", "pl"} {
		t.Run(language, func(t *testing.T) {
			got := closer(run(t, tool(t, "pdftotext"), "-layout", written(t, settled(language)), "-"))
			golden := filepath.Join("testdata", "statement."+language[:2]+".txt")
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the paper says\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// The programme stands between all parties: what one owes it is owed to it, and the other
// way round.
func TestTheProgrammesStatementHasBothSidesOfALine(t *testing.T) {
	s := NewStatement(clearing.Statement{Month: 202603})
	s.Add(clearing.Line{From: id(1), To: id(2), Day: 20260301, Points: 5, Debit: clearing.Amount{Currency: "EUR", Minor: 70}, Credit: clearing.Amount{Currency: "TRY", Minor: 900}})
	s.Add(clearing.Line{From: id(1), Day: 20260301, Points: 5, Debit: clearing.Amount{Currency: "EUR", Minor: 3}})
	var owed, owes int64
	for k, sum := range s.days {
		if (k.other == id(1)) != (sum.owed == 73 && k.currency == "EUR") || (k.other == id(2)) != (sum.owes == 900 && k.currency == "TRY") {
			t.Errorf("%+v: %+v", k, sum)
		}
		owed, owes = owed+sum.owed, owes+sum.owes
	}
	if owed != 73 || owes != 900 {
		t.Errorf("owed %d, owes %d", owed, owes)
	}
}

func TestAStatementOfTooManyDaysSaysSo(t *testing.T) {
	s := settled("en")
	for i := range uint32(MostDays) {
		s.Add(clearing.Line{From: id(22), To: id(21), Unit: "points", Day: entry.Date(20260301), Fee: string(rune('a'+i%26)) + strings.Repeat("x", int(i/26)), Credit: clearing.Amount{Currency: "TRY", Minor: 1}})
	}
	if text := run(t, tool(t, "pdftotext"), "-layout", written(t, s), "-"); !bytes.Contains(text, []byte("More lines than fit on paper")) || len(s.days) != MostDays {
		t.Errorf("%d rows, and it says\n%s", len(s.days), text)
	}
}
