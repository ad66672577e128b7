package sim

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// lifeName names one unit of a right: a sale may keep several under its id.
type lifeName struct {
	id   uuid.UUID
	unit string
}

// life is a right as the journals tell of it.
type life struct {
	holder   journal.Writer
	amount   int64
	used     int64
	released bool
}

// lent is a loan as the lender's journal tells of it.
type lent struct {
	amount int64
	to     journal.Writer
}

// lives adds up every right from the journals alone (G2, I4): it is received before it
// is used, by one terminal, it gives no more than it has, and nothing after it was
// released; a loan received is a loan given. Terminals that were copied or rolled back
// are left out.
func (w *world) lives(records []record) {
	left := w.honest(records)
	b := &lifebook{w: w, lives: map[lifeName]*life{}, sales: map[saleName]entry.Sale{}, loans: map[uuid.UUID]lent{}}
	for _, r := range left {
		if c, err := entry.DecodeBody[entry.AllowanceChange](r.entry); r.entry.Kind == entry.KindAllowanceChange && err == nil && c.Op == entry.AllowanceLent {
			b.loans[c.Right] = lent{c.Amount, journal.Writer{ID: c.To, Epoch: c.ToEpoch}}
		}
	}
	for _, r := range left {
		b.read(r)
	}
}

// honest keeps the entries of terminals that nobody copied or rolled back.
func (w *world) honest(records []record) []record {
	var out []record
	for _, r := range records {
		if !w.forgedEver(r.writer.ID) {
			out = append(out, r)
		}
	}
	return out
}

// lifebook is what the journals say of rights.
type lifebook struct {
	w     *world
	lives map[lifeName]*life
	sales map[saleName]entry.Sale
	loans map[uuid.UUID]lent
}

// read takes in an entry; those of one journal come in its order.
func (b *lifebook) read(r record) {
	var err error
	switch r.entry.Kind {
	case entry.KindSale:
		err = with(r, b.sale)
	case entry.KindVoid:
		err = with(r, b.void)
	case entry.KindAllowanceChange:
		err = with(r, b.change)
	}
	if err != nil {
		b.w.fail("read entry %d: %v", r.seq, err)
	}
}

func with[T any](r record, fn func(record, T)) error {
	body, err := entry.DecodeBody[T](r.entry)
	if err == nil {
		fn(r, body)
	}
	return err
}

func (b *lifebook) sale(r record, sale entry.Sale) {
	b.sales[saleName{r.writer.ID, sale.ID}] = sale
	for _, k := range sale.Kept {
		b.lives[lifeName{sale.ID, k.Unit}] = &life{holder: r.writer, amount: k.Amount}
	}
	for _, x := range sale.Redeemed {
		if x.Right != uuid.Nil {
			b.take(r, "redeems", lifeName{x.Right, unitOf(x)}, x.Amount)
		}
	}
}

// void gives back what the sale took.
func (b *lifebook) void(r record, void entry.Void) {
	for _, x := range b.sales[saleName{r.writer.ID, void.Sale}].Redeemed {
		if l := b.lives[lifeName{x.Right, unitOf(x)}]; l != nil {
			l.used -= x.Amount
		}
	}
}

func (b *lifebook) change(r record, c entry.AllowanceChange) {
	name := lifeName{c.Right, c.Unit}
	switch c.Op {
	case entry.AllowanceReceived:
		b.receive(r, name, c)
	case entry.AllowanceLent:
		b.take(r, "lends", lifeName{c.Parent, c.Unit}, c.Amount)
	case entry.AllowanceReleased:
		if l := b.lives[name]; l != nil {
			l.released = true
		} else {
			b.lives[name] = &life{holder: r.writer, released: true}
		}
	}
}

func (b *lifebook) receive(r record, name lifeName, c entry.AllowanceChange) {
	if l := b.lives[name]; l != nil {
		what := "received it before"
		if l.released {
			what = "had released it"
		}
		b.w.fail("G2: lane %s receives %d %s of right %s in entry %d, and lane %s %s", b.w.nameOf(r.writer), c.Amount, name.unit, name.id, r.seq, b.w.nameOf(l.holder), what)
		return
	}
	b.lives[name] = &life{holder: r.writer, amount: c.Amount}
	given, known := b.loans[c.Right]
	switch {
	case c.From == uuid.Nil:
		b.granted(r, c)
		b.booked(r, c)
	case known && (given.amount != c.Amount || given.to != r.writer):
		b.w.fail("G2: lane %s receives a loan of %d in entry %d, and %d was lent to %s", b.w.nameOf(r.writer), c.Amount, r.seq, given.amount, b.w.nameOf(given.to))
	}
}

// granted holds what a terminal received from HQ against what HQ signed.
func (b *lifebook) granted(r record, c entry.AllowanceChange) {
	g, err := wire.Open[wire.Grant](c.Proof, wire.DomainGrant, b.w.hq.keys, b.w.now)
	if err != nil || g.Amount != c.Amount || g.Right != c.Right || g.Terminal != r.writer.ID || g.Epoch != r.writer.Epoch {
		b.w.fail("G2: lane %s receives %d of HQ in entry %d, and HQ signed %d: %v", b.w.nameOf(r.writer), c.Amount, r.seq, g.Amount, err)
	}
}

// booked checks that HQ has in its books what it signed. After a restore it knows again
// what terminals presented, which not all have lived to do.
func (b *lifebook) booked(r record, c entry.AllowanceChange) {
	if b.w.restored {
		return
	}
	var n int
	err := b.w.hq.look.QueryRow(`SELECT COUNT(*) FROM rights WHERE account = ? AND unit = ? AND right_id = ? AND kind IN (1, 2)`,
		c.Account[:], c.Unit, c.Right[:]).Scan(&n)
	if err != nil || n != 1 {
		b.w.fail("G2: lane %s received %d %s that HQ signed in entry %d, and HQ has no such right: %v", b.w.nameOf(r.writer), c.Amount, c.Unit, r.seq, err)
	}
}

// take checks that a right bears what is taken of it.
func (b *lifebook) take(r record, what string, name lifeName, n int64) {
	l, lane := b.lives[name], b.w.nameOf(r.writer)
	switch {
	case l == nil:
		b.w.fail("G2: lane %s %s %d %s of right %s in entry %d, and its journal does not say that it received it", lane, what, n, name.unit, name.id, r.seq)
		return
	case l.holder != r.writer:
		b.w.fail("G2: lane %s %s %d %s of right %s in entry %d, and it is lane %s's", lane, what, n, name.unit, name.id, r.seq, b.w.nameOf(l.holder))
	case l.released:
		b.w.fail("G2: lane %s %s %d %s of right %s in entry %d, and had released it", lane, what, n, name.unit, name.id, r.seq)
	case l.used+n > l.amount:
		b.w.fail("G2: lane %s %s %d %s of right %s in entry %d, and of its %d there were %d left", lane, what, n, name.unit, name.id, r.seq, l.amount, l.amount-l.used)
	}
	l.used += n
}

// blamed checks that HQ puts no loss down to a copy where nobody copied anything (G6).
// A restored HQ does not know all that it knew.
func (w *world) blamed(ctx context.Context) {
	if !w.options.Blame || w.restored || w.tookBack(ctx) || slices.ContainsFunc(w.epochs, func(f *fork) bool { return f.forged }) {
		return
	}
	list, _, err := w.hq.any().ledger.Exceptions(ctx, ledger.ExceptionFilter{}, "", 0)
	if err != nil {
		w.fail("list exceptions: %v", err)
		return
	}
	for _, e := range list {
		if e.Attribution == loyalty.LossClone {
			w.fail("G6: HQ blames a copy of lane %s for %d %s in entry %d (%s), and nobody copied anything",
				w.nameOf(journal.Writer{ID: e.Terminal}), e.Amount, e.Unit, e.Seq, e.Kind)
		}
	}
}

// tookBack reports whether HQ took any right back. Left out by name in docs/proof.md: a
// redemption that comes later than that is put after its terminal's own release, and then
// counts as a copy's.
func (w *world) tookBack(ctx context.Context) bool {
	var n int
	err := w.hq.look.QueryRowContext(ctx, `SELECT COUNT(*) FROM hq_journal WHERE kind = ?`, entry.KindHQTakeBack).Scan(&n)
	if err != nil {
		w.fail("read HQ's journal: %v", err)
	}
	return n > 0
}

// nameOf says which lane a journal is of.
func (w *world) nameOf(writer journal.Writer) string {
	for _, l := range w.lanes {
		if l.fork.writer.ID == writer.ID && !l.stray {
			return l.name
		}
	}
	return writer.ID.String()
}
