package till_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

func TestTheCodeOfAReceiptNamesItsSale(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	sale := s.commit(t, "a", s.buy(t, 5000))
	paper, err := s.till.Paper(ctx, sale.At.Seq)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.till.ReadReceipt(ctx, paper.Reference+"\r\n")
	if err != nil || !got.Matched || got.Found == nil || got.Found.Sale.Body.ID != sale.Body.ID || got.Seq != sale.At.Seq {
		t.Errorf("own receipt: %+v, %v", got, err)
	}
	lane, stranger := s.NewID(), s.NewID()
	key := tilltest.Own(t, lane)
	s.Feed(t, s.till, s.Item(t, wire.ItemTerminal, lane, wire.Terminal{ID: lane, Store: s.Store, Name: "2", Epoch: 1, PublicKey: key.Public.Key, State: "enrolled"}))
	said := wire.Reference{Terminal: lane, Epoch: 1, Seq: 7, Sale: s.NewID()}
	got, err = s.till.ReadReceipt(ctx, wire.SignReference(key, said).Text())
	if err != nil || !got.Matched || got.Found != nil || got.Reference != said {
		t.Errorf("of the other lane: %+v, %v", got, err)
	}
	_, err = s.till.ReadReceipt(ctx, wire.SignReference(s.Own, said).Text())
	wantCode(t, err, problem.CodeForged)
	said.Terminal = stranger
	got, err = s.till.ReadReceipt(ctx, wire.SignReference(tilltest.Own(t, stranger), said).Text())
	if err != nil || got.Matched || got.Reference != said {
		t.Errorf("of another store: %+v, %v", got, err)
	}
	for _, raw := range []string{"", "R-a", s.Static(t, s.member), uuid.NewString()} {
		_, err := s.till.ReadReceipt(ctx, raw)
		wantCode(t, err, problem.CodeUnreadable)
	}
}
