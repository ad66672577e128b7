package till

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Paper is an entry of this journal with what a receipt says beside it. One of Sale, Void,
// Return, Claim and Day is set.
type Paper struct {
	Entry
	Writer    uuid.UUID
	Epoch     uint32
	Terminal  string // its name; may be empty
	Store     string
	Zone      *time.Location
	Sale      *Found
	Void      *VoidPaper
	Return    *Returned
	Claim     *ClaimedReceipt
	Reference string // the text of a sale's signed reference; empty: this terminal cannot sign
	Day       *ClosedDay
	Cashier   string               // who did it: a name, or what the till software said
	Cashiers  map[uuid.UUID]string // names of those in a day's figures
	Rewards   map[uuid.UUID]string // names of what was redeemed, as known now
	Balance   []Holding            // of the member, as reckoned now; nil: not known
	BalanceAt time.Time            // when HQ was last heard; zero: never
}

// VoidPaper is a void with its sale, nil when that is not kept any more.
type VoidPaper struct {
	Void Voided
	Sale *Sale
}

// Paper returns what a receipt of an entry says, or problem.NotFound for a number without
// an entry and for entries of which there is no receipt.
func (t *Till) Paper(ctx context.Context, seq uint64) (Paper, error) {
	end, err := t.begin()
	if err != nil {
		return Paper{}, err
	}
	defer end()
	if head := t.cfg.Journal.Head().Seq; seq == 0 || seq > head {
		return Paper{}, problem.Newf(problem.NotFound, "the journal has the entries 1 to %d", head)
	}
	p := t.blankPaper()
	member, err := t.fill(ctx, &p, seq)
	if gone(err) {
		return Paper{}, problem.Newf(problem.NotFound, "entry %d is not kept here any more", seq)
	}
	if err == nil && member != uuid.Nil {
		p.Balance, err = t.balanceOf(ctx, member)
	}
	if err != nil {
		return Paper{}, fmt.Errorf("make receipt of entry %d: %w", seq, err)
	}
	return p, nil
}

func (t *Till) blankPaper() Paper {
	cat := t.catalogue.Load()
	p := Paper{
		Writer: t.cfg.Writer.ID, Epoch: t.cfg.Writer.Epoch, Terminal: cat.lanes[t.cfg.Writer.ID].Name, Zone: cat.zone,
		Cashiers: map[uuid.UUID]string{}, Rewards: map[uuid.UUID]string{},
	}
	if cat.store != nil {
		p.Store = cat.store.Name
	}
	for id, r := range cat.rewards {
		p.Rewards[id] = r.Name
	}
	if link := t.linkNow(); link.Heard != 0 {
		p.BalanceAt = time.UnixMilli(link.Heard).UTC()
	}
	return p
}

// fill reads the entry, and tells whose balance belongs on its receipt.
func (t *Till) fill(ctx context.Context, p *Paper, seq uint64) (uuid.UUID, error) {
	kind, err := t.kindAt(ctx, seq)
	if err != nil {
		return uuid.Nil, err
	}
	switch kind {
	case entry.KindSale:
		return t.fillSale(ctx, p, seq)
	case entry.KindVoid:
		body, at, err := readBody[entry.Void](ctx, t.cfg.Journal, seq)
		if err != nil {
			return uuid.Nil, err
		}
		p.Entry, p.Void, p.Cashier = at, &VoidPaper{Void: Voided{Entry: at, Body: body}}, t.nameOf(body.Cashier, body.Hands)
		sale, soldAt, err := t.saleOf(ctx, body.Sale)
		if err == nil {
			p.Void.Sale = &Sale{Entry: soldAt, Body: sale}
		}
		if gone(err) {
			err = nil
		}
		return body.Member, err
	case entry.KindReturn:
		out, err := t.sameReturn(ctx, seq)
		p.Entry, p.Return, p.Cashier = out.Entry, &out, t.nameOf(out.Body.Cashier, out.Body.Hands)
		return out.Body.Member, err
	case entry.KindClaim:
		body, at, err := readBody[entry.Claim](ctx, t.cfg.Journal, seq)
		p.Entry, p.Claim, p.Cashier = at, &ClaimedReceipt{Entry: at, Body: body}, t.nameOf(body.Cashier, body.Hands)
		return body.Member, err
	case entry.KindDayClose:
		body, at, err := readBody[entry.DayClose](ctx, t.cfg.Journal, seq)
		p.Entry, p.Day, p.Cashier = at, &ClosedDay{Entry: at, Body: body}, t.nameOf(body.Cashier, body.Hands)
		for _, c := range body.Cashiers {
			p.Cashiers[c.CashierID] = t.Cashier(c.CashierID).Name
		}
		return uuid.Nil, err
	}
	return uuid.Nil, problem.Newf(problem.NotFound, "there is no receipt of a %s", kind)
}

func (t *Till) fillSale(ctx context.Context, p *Paper, seq uint64) (uuid.UUID, error) {
	sale, _, err := readBody[entry.Sale](ctx, t.cfg.Journal, seq)
	if err != nil {
		return uuid.Nil, err
	}
	found, err := t.find(ctx, sale.ID)
	p.Entry, p.Sale, p.Cashier = found.Sale.Entry, &found, t.nameOf(sale.Cashier, sale.Hands)
	if len(t.cfg.Signer.Private()) > 0 {
		p.Reference = wire.SignReference(t.cfg.Signer, wire.Reference{Terminal: p.Writer, Epoch: p.Epoch, Seq: seq, Sale: sale.ID}).Text()
	}
	return sale.Member, err
}

func (t *Till) kindAt(ctx context.Context, seq uint64) (entry.Kind, error) {
	run, err := t.cfg.Journal.Read(ctx, seq, 1, entry.MaxSize)
	if err != nil {
		return 0, err
	}
	if len(run.Entries) != 1 {
		return 0, ErrAbsent
	}
	e, err := entry.Decode(run.Entries[0])
	return e.Kind, err
}

// nameOf is what a receipt calls the cashier.
func (t *Till) nameOf(said string, hands entry.Hands) string {
	if hands.CashierID == uuid.Nil {
		return said
	}
	return t.Cashier(hands.CashierID).Name
}

// balanceOf is what a member has as this terminal reckons it now; nil when HQ has not told.
func (t *Till) balanceOf(ctx context.Context, member uuid.UUID) (out []Holding, err error) {
	cat := t.catalogue.Load()
	now, _ := t.time.now()
	err = t.look(ctx, func(l look) error {
		m, found, err := readItem[wire.Member](l, wire.ItemMember, member)
		if err == nil && !found {
			m, found, err = enrolledHere(l, member)
		}
		if err != nil || !found {
			return err
		}
		rights, err := t.held(l, m.Account)
		if err == nil {
			out, err = t.holdingsOf(l, cat, m, rights, now)
		}
		return err
	})
	return out, err
}
