package api_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/paper"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/wire"
)

// stranger is a caller who shows nothing.
var stranger = map[string]string{"Authorization": ""}

// certified keeps a certificate of a store, as one of its days would leave it.
func (r *rig) certified(store string, epoch uint32) paper.Day {
	r.t.Helper()
	c := storeday.Certificate{
		HQ: r.hq, Store: uuid.MustParse(store), HQEpoch: epoch, Number: 1, Date: "2026-03-01", CutAt: 1772400000000, Journals: []storeday.Journal{},
		Day: storeday.Figures{Date: "2026-03-01", Entries: 3, Money: []storeday.Money{{Kind: "sale", Currency: "EUR", Count: 3, Total: 98765}}},
	}
	text, err := c.Sign(r.sign[0])
	r.must(err)
	r.must(r.db.AddCertified(context.Background(), storeday.Certified{
		Store: c.Store, Number: 1, Date: 20260301, CutAt: c.CutAt, Text: text, Digest: storeday.Digest(text),
	}))
	return paper.Day{Certificate: c, Text: text}
}

func TestAPaperIsVerifiedByAnybodyWhoHoldsIt(t *testing.T) {
	r := newRig(t)
	store := r.made("/api/v1/stores", storeBody)
	day := r.certified(store, 1)
	link := day.Link()
	page := r.do(call{method: "GET", path: link, header: stranger})
	if page.status != http.StatusOK || !strings.Contains(string(page.body), "987.65 EUR") || page.header.Get("Content-Security-Policy") != paper.PagePolicy {
		t.Errorf("%d %s %s", page.status, page.header, page.body)
	}
	text := r.do(call{method: "GET", path: link + "?text", header: stranger})
	if strings.TrimSpace(string(text.body)) != day.Text || text.header.Get("Content-Type") != "application/jwt" {
		t.Errorf("%d %s", text.status, text.body)
	}
	// Nobody learns from a wrong address whether a day is certified, or whether a store is there.
	var nothing []byte
	for _, wrong := range []string{
		paper.Path, paper.Path + "x", link[:len(link)-4] + "AAAA", strings.Replace(link, "2026-03-01", "2026-03-02", 1), strings.Replace(link, store, uuid.NewString(), 1),
	} {
		a := r.do(call{method: "GET", path: wrong, header: stranger})
		if nothing == nil {
			nothing = a.body
		}
		if a.status != http.StatusNotFound || !bytes.Equal(a.body, nothing) {
			t.Errorf("%s: %d %s", wrong, a.status, a.body)
		}
		if a := r.do(call{method: "GET", path: wrong + "?text", header: stranger}); a.status != http.StatusNotFound || a.code() != problem.NotFound {
			t.Errorf("%s?text: %d %s", wrong, a.status, a.body)
		}
	}
	for range 60 {
		r.do(call{method: "GET", path: link, header: stranger})
	}
	if a := r.do(call{method: "GET", path: link, header: stranger}); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "60" || strings.Contains(string(a.body), "987.65") {
		t.Errorf("the 72nd page of a minute: %d %s", a.status, a.body)
	}
}

func TestACertificateIsPrinted(t *testing.T) {
	r := newRig(t)
	store := r.made("/api/v1/stores", storeBody)
	r.certified(store, 1)
	path := "/api/v1/stores/" + store + "/days/2026-03-01/certificate.pdf"
	a := r.do(call{method: "GET", path: path + "?locale=tr"})
	if a.status != http.StatusOK || !bytes.HasPrefix(a.body, []byte("%PDF-")) || a.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("%d %.100s", a.status, a.body)
	}
	for path, want := range map[string]problem.Code{
		path + "?locale=de": problem.InvalidField, strings.Replace(path, "03-01", "03-02", 1): problem.NotFound, strings.Replace(path, store, uuid.NewString(), 1): problem.NotFound,
	} {
		if a := r.do(call{method: "GET", path: path}); a.code() != want {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// A statement that is kept is printed with its lines; of a month or a party without one
// there is no paper.
func TestAStatementIsPrinted(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	party := clearing.Party{ID: uuid.Must(uuid.NewV7()), Code: "F1", Name: "Łódź sp. z o.o.", Currency: "PLN", Language: "pl"}
	of := settlement.Statement{
		Party: party, Month: 202602, State: clearing.Drafted, CutAt: 1772400000000, Totals: []settlement.Total{{Currency: "PLN", Owed: 500, Net: 500}},
		Groups: []settlement.Group{{Kind: clearing.KindRedeemed, Unit: "points", Currency: "PLN", Points: 50, Owed: 500, Lines: 1}},
	}
	body, err := wire.Marshal(of)
	r.must(err)
	r.must(r.db.PutSettlementMonth(ctx, settlement.MonthRow{Month: 202602, State: clearing.Drafted, Attempt: 1, Version: 1}))
	r.must(r.db.AddSettlementStatements(ctx, 1, []settlement.StatementRow{{Party: party.ID, Month: 202602, Body: body}}))
	r.must(r.db.AddSettlementLines(ctx, 1, []settlement.Line{{
		Month: 202602, No: 1, Kind: clearing.KindRedeemed, To: party.ID, Unit: "points", Day: 20260203, Points: 50,
		Debit: settlement.Amount{Currency: "PLN", Minor: 500}, Credit: settlement.Amount{Currency: "PLN", Minor: 500},
	}}))
	path := "/api/v1/settlement/months/2026-02/statements/" + party.ID.String() + "/statement.pdf"
	a := r.do(call{method: "GET", path: path})
	if a.status != http.StatusOK || !bytes.HasPrefix(a.body, []byte("%PDF-")) || a.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("%d %.200s", a.status, a.body)
	}
	for _, none := range []string{strings.Replace(path, "2026-02", "2026-03", 1), strings.Replace(path, party.ID.String(), uuid.NewString(), 1), strings.Replace(path, "2026-02", "2026-13", 1)} {
		if a := r.do(call{method: "GET", path: none}); a.code() != problem.NotFound {
			t.Errorf("%s: %d %s", none, a.status, a.body)
		}
	}
}
