package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// shards checks the books, one shard after the other.
func (a *audit) shards(ctx context.Context) error {
	if err := a.waited(ctx); err != nil {
		return err
	}
	for in := range shard.Count {
		b := shardBooks{
			where: fmt.Sprintf("shard %d", in), sources: map[journal.Hash]bool{}, accounts: map[AccountKey]bool{},
			own: map[UnitKey]map[loyalty.Book]int64{}, contra: map[BookKey]int64{}, lots: map[UnitKey]*loyalty.Holding{},
		}
		for _, check := range []func(context.Context, int, *shardBooks) error{a.sources, a.postings, a.lots, a.rights, a.holdings, a.contra, a.folds} {
			if err := check(ctx, in, &b); err != nil {
				return err
			}
		}
	}
	switch {
	case a.stored.n != a.expected.n:
		a.fail("sources", "%d facts have been applied, %d sources are stored", a.expected.n, a.stored.n)
	case a.stored.sum != a.expected.sum:
		a.fail("sources", "the stored sources are not those of the %d facts that have been applied", a.expected.n)
	}
	return nil
}

// waited notes what undoes a sale and waited for it, of no account. It has a second
// source where the sale was found.
func (a *audit) waited(ctx context.Context) error {
	nobody := make([]AccountKey, shard.Count)
	for in := range nobody {
		nobody[in].Shard = in
	}
	rows, err := a.store.AccountSources(ctx, nobody)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Kind == entry.KindVoid || r.Kind == entry.KindReturn {
			a.unnamed[r.Source] = true
		}
	}
	return nil
}

// shardBooks is what postings and lots of one shard add up to.
type shardBooks struct {
	where   string
	sources map[journal.Hash]bool
	// accounts are those that have facts.
	accounts map[AccountKey]bool
	own      map[UnitKey]map[loyalty.Book]int64
	contra   map[BookKey]int64
	lots     map[UnitKey]*loyalty.Holding
}

// sources counts the shard's sources, and checks that each is where its account is.
func (a *audit) sources(ctx context.Context, in int, b *shardBooks) error {
	rows, err := a.store.AuditSources(ctx, in)
	if err != nil {
		return err
	}
	for _, r := range rows {
		b.sources[r.Source] = true
		if r.Account != uuid.Nil {
			b.accounts[r.AccountKey] = true
		}
		if r.Shard != shardOf(r.Account, r.Writer) {
			a.fail(b.where, "source %s is of an account of another shard", r.Source.Short())
		}
		if a.unnamed[r.Source] && r.Account != uuid.Nil {
			a.count("returns, matched with their sales", 1)
			continue
		}
		a.stored.add(r.Source)
		if a.maybe[r.Source] {
			a.expected.add(r.Source)
		}
		a.count("applied facts, each with its source once", 1)
	}
	return nil
}

func (a *audit) postings(ctx context.Context, in int, b *shardBooks) error {
	for offset := 0; ; offset += auditPage {
		rows, err := a.store.AuditPostings(ctx, in, offset, auditPage)
		if err != nil {
			return err
		}
		for _, p := range rows {
			a.posting(in, b, p)
		}
		if len(rows) < auditPage {
			return nil
		}
	}
}

func (a *audit) posting(in int, b *shardBooks, p Posting) {
	a.count("postings", 1)
	where := fmt.Sprintf("%s, posting %s", b.where, p.ID)
	if !b.sources[p.Source] {
		a.fail(where, "its source %s has not been applied", p.Source.Short())
	}
	if !b.sources[p.subject()] {
		a.fail(where, "it corrects %s, which has not been applied", p.subject().Short())
	}
	if p.ID != postingID(p.Source, p.Line) {
		a.fail(where, "its id does not derive from source and line")
	}
	key := UnitKey{AccountKey{in, p.Account}, p.Unit}
	move := func(book loyalty.Book, amount int64) {
		if book.Own() {
			if b.own[key] == nil {
				b.own[key] = map[loyalty.Book]int64{}
			}
			b.own[key][book] += amount
			return
		}
		contra := BookKey{Shard: in, Book: book, Unit: p.Unit}
		if book == loyalty.BookStore {
			contra.Owner = p.Store
		}
		b.contra[contra] += amount
	}
	move(p.From, -p.Amount)
	move(p.To, p.Amount)
}

func (a *audit) lots(ctx context.Context, in int, b *shardBooks) error {
	for offset := 0; ; offset += auditPage {
		rows, err := a.store.AuditLots(ctx, in, offset, auditPage)
		if err != nil {
			return err
		}
		for _, r := range rows {
			a.count("lots", 1)
			key := UnitKey{r.AccountKey, r.Unit}
			if b.lots[key] == nil {
				b.lots[key] = &loyalty.Holding{}
			}
			if !b.sources[r.Source] {
				a.fail(fmt.Sprintf("%s, lot %s", b.where, uuid.UUID(r.ID)), "its source %s has not been applied", r.Source.Short())
			}
			b.lots[key].Lots = append(b.lots[key].Lots, r.Lot)
		}
		if len(rows) < auditPage {
			return nil
		}
	}
}

func (a *audit) holdings(ctx context.Context, in int, b *shardBooks) error {
	rows, err := a.store.AuditHoldings(ctx, in)
	if err != nil {
		return err
	}
	for _, r := range rows {
		a.count("holdings, equal to their postings and lots", 1)
		key := UnitKey{r.AccountKey, r.Unit}
		where := fmt.Sprintf("%s, account %s, %s", b.where, r.Account, r.Unit)
		h := r.Holding
		if lots := b.lots[key]; lots != nil {
			h.Lots = lots.Lots
		}
		for _, right := range a.rightsNow[key.AccountKey] {
			if right.Unit == r.Unit {
				h.PutRight(right.HeldRight)
			}
		}
		if err := h.Check(); err != nil {
			a.fail(where, "free %d, allowance %d, pending %d, overdraft %d: %v", h.Free, h.Allowance, h.Pending, h.Overdraft, err)
		}
		for book, stored := range map[loyalty.Book]int64{
			loyalty.BookFree: h.Free, loyalty.BookAllowance: h.Allowance, loyalty.BookPending: h.Pending, loyalty.BookOverdraft: -h.Overdraft,
		} {
			if posted := b.own[key][book]; posted != stored {
				a.fail(where, "%s is %d by its postings, %d is stored", book, posted, stored)
			}
		}
		a.units[r.Unit] += h.Balance() + h.Pending
		delete(b.own, key)
		delete(b.lots, key)
	}
	for key := range b.own {
		a.fail(fmt.Sprintf("%s, account %s, %s", b.where, key.Account, key.Unit), "has postings and no holding")
	}
	for key := range b.lots {
		a.fail(fmt.Sprintf("%s, account %s, %s", b.where, key.Account, key.Unit), "has lots and no holding")
	}
	return nil
}

func (a *audit) contra(ctx context.Context, in int, b *shardBooks) error {
	stored, err := a.store.AuditBooks(ctx, in)
	if err != nil {
		return err
	}
	for key, amount := range stored {
		a.count("contra books, equal to their postings", 1)
		if posted := b.contra[key]; posted != amount {
			a.fail(fmt.Sprintf("%s, book %s, %s", b.where, key.Book, key.Unit), "%d by its postings, %d is stored", posted, amount)
		}
		a.units[key.Unit] += amount
		delete(b.contra, key)
	}
	for key, amount := range b.contra {
		if amount != 0 {
			a.fail(fmt.Sprintf("%s, book %s, %s", b.where, key.Book, key.Unit), "%d by its postings, nothing is stored", amount)
		}
	}
	return nil
}
