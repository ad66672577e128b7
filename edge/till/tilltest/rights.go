package tilltest

import (
	"bytes"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Own returns the key of a terminal, which follows from its id.
func Own(tb T, terminal uuid.UUID) keys.Signer {
	tb.Helper()
	seed := bytes.Repeat(terminal[:], 2)
	s, err := keys.NewSigner(keys.Public{ID: 1, Use: keys.UseStatement, NotAfter: Start.AddDate(3, 0, 0)}, seed)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// Lane returns the roster's item of a terminal in service.
func (w *World) Lane(tb T, writer journal.Writer) wire.Item {
	tb.Helper()
	return w.Item(tb, wire.ItemTerminal, writer.ID, wire.Terminal{
		ID: writer.ID, Store: w.Store, Name: "lane", Epoch: writer.Epoch, PublicKey: Own(tb, writer.ID).Public.Key, State: "enrolled",
	})
}

// Grant returns a right of this world's terminal to points of a member, for a day.
func (w *World) Grant(m wire.Member, points int64) wire.Grant {
	now := w.Clock.Now()
	return wire.Grant{
		V: wire.Version, HQ: w.HQ, HQEpoch: w.HQEpoch, Right: w.NewID(), Account: m.Account, Unit: "points", Amount: points,
		Store: w.Store, Terminal: w.Writer.ID, Epoch: w.Writer.Epoch, GrantedAt: now.UnixMilli(),
		EndsAt: now.Add(24 * time.Hour).UnixMilli(), Policy: w.Policy.Version, Member: m.ID,
	}
}

// Granted returns the feed's item of a grant. Recalled and closed as given.
func (w *World) Granted(tb T, g wire.Grant, recalled, closed bool) wire.Item {
	tb.Helper()
	return w.Item(tb, wire.ItemAllowance, g.Right, wire.Allowance{Grant: w.Signed(tb, g), Recalled: recalled, Closed: closed})
}

// Signed is a grant as HQ signs it.
func (w *World) Signed(tb T, g wire.Grant) wire.Signed {
	tb.Helper()
	raw, err := wire.Seal(w.Signer, wire.DomainGrant, g)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := wire.Unmarshal[wire.Signed](raw)
	if err != nil {
		tb.Fatal(err)
	}
	return signed
}

// Share returns the feed's item of this terminal's share.
func (w *World) Share(tb T, points, uses int64) wire.Item {
	tb.Helper()
	return w.Item(tb, wire.ItemShare, w.Writer.ID, wire.Share{
		Terminal: w.Writer.ID, Epoch: w.Writer.Epoch, Policy: w.Policy.Version, Unit: w.Policy.Unit, Points: points, Uses: uses,
	})
}

// Witnessed lets HQ confirm a head of the journal.
func (w *World) Witnessed(tb T, t *till.Till, head journal.Head) {
	tb.Helper()
	if err := t.ApplyReceipt(context.Background(), w.Receipt(head)); err != nil {
		tb.Fatal(err)
	}
}

// Receipt is HQ's word that it has a head.
func (w *World) Receipt(head journal.Head) wire.Receipt {
	return wire.Receipt{
		V: wire.Version, HQ: w.HQ, HQEpoch: w.HQEpoch, Terminal: w.Writer.ID, Epoch: w.Writer.Epoch,
		Seq: head.Seq, Hash: head.Hash[:], RecordedAt: w.Clock.Now().UnixMilli(),
	}
}

// Applied lets the feed say through which entry HQ has applied the journal.
func (w *World) Applied(tb T, t *till.Till, seq uint64) {
	tb.Helper()
	page := w.Page()
	page.Applied = wire.Mark{Terminal: w.Writer.ID, Epoch: w.Writer.Epoch, Seq: seq}
	if err := t.ApplyFeed(context.Background(), page); err != nil {
		tb.Fatal(err)
	}
}
