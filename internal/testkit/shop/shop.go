package shop

import (
	"context"
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/reconcile"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
)

// Shop is one store of an HQ whose days are certified.
type Shop struct {
	*books.HQ
	Days  *storeday.Service
	Of    fleet.Store
	Lanes map[uuid.UUID]*fleet.Terminal
	Ann   uuid.UUID // a member with 1000 points
	order []uuid.UUID
}

// New opens a shop without lanes over an HQ.
func New(t testing.TB, hq *books.HQ) *Shop {
	t.Helper()
	s := &Shop{HQ: hq, Of: fleet.Store{ID: uuid.NewSHA1(hq.ID, []byte("the store")), Code: "S1", TimeZone: "Europe/Warsaw"}, Lanes: map[uuid.UUID]*fleet.Terminal{}}
	s.Days = storeday.New(storeday.Env{
		Store: hq.DB, Fleet: s, Journal: hq.Journal, Clock: hq.Clock, HQ: hq.ID, Signer: hq.Signer,
		Virtual: func(name string) bool { return strings.HasPrefix(name, "web") },
	})
	hq.Ledger.SetBeside(reconcile.New(hq.DB, s.Days.Closed))
	s.Ann = hq.Member(t, "ann", 1000)
	return s
}

// Store implements storeday.Fleet.
func (s *Shop) Store(context.Context, uuid.UUID) (fleet.Store, error) { return s.Of, nil }

// Stores implements storeday.Fleet.
func (s *Shop) Stores(_ context.Context, after uuid.UUID, _ int) ([]fleet.Store, error) {
	if after != uuid.Nil {
		return nil, nil
	}
	return []fleet.Store{s.Of}, nil
}

// Terminals implements storeday.Fleet.
func (s *Shop) Terminals(_ context.Context, _, after uuid.UUID, _ int) ([]fleet.Terminal, error) {
	if after != uuid.Nil {
		return nil, nil
	}
	var out []fleet.Terminal
	for _, id := range s.order {
		out = append(out, *s.Lanes[id])
	}
	return out, nil
}

// Lane is a terminal of the shop that closes its days as terminals do.
type Lane struct {
	*books.Till
	shop   *Shop
	Date   entry.Date
	closed int // entries through the last close
	day    daybook.Figures
	sent   int
}

// Lane enrols a lane; its first date is 1 March 2026.
func (s *Shop) Lane(t books.Failer, name string) *Lane {
	till := s.Till(t, name)
	till.Store = s.Of.ID
	s.Lanes[till.ID] = &fleet.Terminal{ID: till.ID, Store: s.Of.ID, Name: name, State: fleet.StateEnrolled, Epoch: 1}
	s.order = append(s.order, till.ID)
	l := &Lane{Till: till, shop: s, Date: 20260301}
	l.day.Count(entry.KindEnrolled)
	return l
}

func (l *Lane) write(t books.Failer, kind entry.Kind, body any) {
	l.WriteOn(t, l.Date, kind, body)
	l.day.Count(kind)
}

// Sell writes a sale of Ann, or of nobody when she is not set.
func (l *Lane) Sell(t books.Failer, total, redeem int64) entry.Sale {
	sale := l.Sale(t, l.shop.Ann, total, redeem)
	l.write(t, entry.KindSale, sale)
	l.day.Sale(sale)
	return sale
}

// Note writes an entry that the terminal makes for itself, under a date of its clock.
func (l *Lane) Note(t books.Failer, date entry.Date) {
	l.WriteOn(t, date, entry.KindNote, entry.Note{Code: entry.NoteStarted})
	l.day.Count(entry.KindNote)
}

// Void writes a void of a sale.
func (l *Lane) Void(t books.Failer, sale entry.Sale) {
	void := entry.Void{ID: uuid.NewSHA1(sale.ID, []byte("void")), Sale: sale.ID, Member: l.shop.Ann, Account: l.shop.Ann, Reason: 1}
	l.write(t, entry.KindVoid, void)
	l.day.Void(void, sale)
}

// CloseDay closes the open date and begins the next. HQ's clock follows to the date.
func (l *Lane) CloseDay(t books.Failer, change ...func(*entry.DayClose)) {
	body := entry.DayClose{Date: l.Date, First: uint64(l.closed) + 1, Last: uint64(len(l.Entries)), Reason: entry.DayCloseOver}
	if body.Last >= body.First {
		body.Head = l.Hashes[len(l.Hashes)-1][:]
	}
	l.day.Fill(&body)
	for _, c := range change {
		c(&body)
	}
	if wait := l.Date.Time().Sub(l.shop.Clock.Now()); wait > 0 {
		l.shop.Clock.Advance(wait)
	}
	l.WriteOn(t, l.Date, entry.KindDayClose, body)
	l.day, l.closed, l.Date = daybook.Figures{}, len(l.Entries), l.Date.Next()
}

// Deliver hands HQ what it has not, and lets it post.
func (l *Lane) Deliver(t books.Failer) {
	if l.sent < len(l.Entries) {
		l.Sync(t, l.sent+1)
		l.sent = len(l.Entries)
	}
	l.shop.Apply(t)
}

// Round certifies what is ready.
func (s *Shop) Round(t books.Failer) {
	s.Clock.Advance(2 * time.Minute)
	if err := s.Days.Round(context.Background()); err != nil {
		t.Fatalf("round: %v", err)
	}
}

// Chain reads all certificates with nothing but the public key.
func (s *Shop) Chain(t books.Failer) []storeday.Link {
	kept, err := s.DB.CertifiedDays(context.Background(), s.Of.ID, 0, 1000)
	if err != nil {
		t.Fatalf("list certificates: %v", err)
	}
	var out []storeday.Link
	for _, k := range kept {
		c, err := storeday.Verify(k.Text, s.Keys())
		if err != nil {
			t.Fatalf("certificate of %s: %v", k.Date, err)
		}
		out = append(out, storeday.Link{Certificate: c, Text: k.Text})
	}
	if err := storeday.CheckChain(out); err != nil {
		t.Fatalf("%v", err)
	}
	return out
}

// Keys are those that HQ publishes.
func (s *Shop) Keys() map[string]ed25519.PublicKey {
	return map[string]ed25519.PublicKey{s.Signer.Public.JWKID(): s.Signer.Public.Key}
}
