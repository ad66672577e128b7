package till

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// derived is what an entry means for the state store.
type derived struct{ changes []Change }

func (d *derived) put(table Table, key []byte, value any) error {
	c, err := put(table, key, value)
	if err == nil {
		d.changes = append(d.changes, c)
	}
	return err
}

// derive works out what a journalled entry means. It is the only place that does:
// live sales and recovery both come here. An entry of a kind that changes nothing
// here, or that a newer release wrote, means nothing.
func (t *Till) derive(ctx context.Context, seq uint64, raw []byte) (derived, error) {
	e, err := entry.Decode(raw)
	if errors.Is(err, entry.ErrVersion) {
		return derived{}, nil
	}
	if err != nil {
		return derived{}, fmt.Errorf("read entry %d: %w", seq, err)
	}
	switch e.Kind {
	case entry.KindSale:
		sale, err := entry.DecodeBody[entry.Sale](e)
		if err != nil {
			return derived{}, fmt.Errorf("read entry %d: %w", seq, err)
		}
		return deriveSale(seq, e, sale)
	case entry.KindVoid:
		void, err := entry.DecodeBody[entry.Void](e)
		if err != nil {
			return derived{}, fmt.Errorf("read entry %d: %w", seq, err)
		}
		return t.deriveVoid(ctx, seq, e.OccurredAt, void)
	case entry.KindReturn:
		back, err := entry.DecodeBody[entry.Return](e)
		if err != nil {
			return derived{}, fmt.Errorf("read entry %d: %w", seq, err)
		}
		return t.deriveReturn(ctx, seq, back)
	case entry.KindAllowanceChange:
		c, err := entry.DecodeBody[entry.AllowanceChange](e)
		if err != nil {
			return derived{}, fmt.Errorf("read entry %d: %w", seq, err)
		}
		return deriveAllowance(seq, e.OccurredAt, c)
	case entry.KindEnrolMember:
		m, err := entry.DecodeBody[entry.EnrolMember](e)
		if err != nil {
			return derived{}, fmt.Errorf("read entry %d: %w", seq, err)
		}
		return deriveEnrolment(seq, m)
	case entry.KindClaim:
		c, err := entry.DecodeBody[entry.Claim](e)
		if err != nil {
			return derived{}, fmt.Errorf("read entry %d: %w", seq, err)
		}
		return deriveClaim(seq, c)
	case entry.KindDayClose:
		c, err := entry.DecodeBody[entry.DayClose](e)
		if err != nil {
			return derived{}, fmt.Errorf("read entry %d: %w", seq, err)
		}
		return deriveClose(seq, c)
	case entry.KindNote:
		n, err := entry.DecodeBody[entry.Note](e)
		if err != nil {
			return derived{}, fmt.Errorf("read entry %d: %w", seq, err)
		}
		return deriveNote(n)
	case entry.KindWitness:
		w, err := entry.DecodeBody[entry.Witness](e)
		if err != nil {
			return derived{}, fmt.Errorf("read entry %d: %w", seq, err)
		}
		return deriveWitness(w)
	}
	return derived{}, nil
}

func deriveSale(seq uint64, e entry.Entry, sale entry.Sale) (derived, error) {
	var d derived
	errs := []error{
		d.put(TableKey, textKey(sale.Key), made{Seq: seq, Kind: entry.KindSale, Hash: sale.KeyHash}),
		d.put(TableSale, sale.ID[:], seq),
	}
	errs = append(errs, d.put(TableSold, soldKey(e.BusinessDate, seq), sale.ID))
	if sale.Receipt != "" {
		errs = append(errs, d.put(TableReceipt, key(textKey(sale.Receipt), seqKey(seq)), sale.ID))
	}
	if c := sale.Code; c != nil && c.Step != 0 {
		errs = append(errs, d.put(TableStep, stepKey(c.Subject, c.Step), seq))
	}
	errs = append(errs, d.effects(seq, e.BusinessDate, sale, 1), d.rights(seq, e.OccurredAt, sale, 1))
	if s := spendOfSale(sale); s.All != 0 {
		errs = append(errs, d.put(TableSpend, seqKey(seq), s))
	}
	return d, errors.Join(errs...)
}

func (t *Till) deriveVoid(ctx context.Context, seq uint64, when int64, void entry.Void) (derived, error) {
	var d derived
	errs := []error{
		d.put(TableKey, textKey(void.Key), made{Seq: seq, Kind: entry.KindVoid, Hash: void.KeyHash}),
		d.put(TableVoided, void.Sale[:], seq),
	}
	sale, at, err := t.saleOf(ctx, void.Sale)
	if gone(err) && t.cfg.Journal.First() > 1 {
		// The sale was pruned, so HQ has it; what the void gives back comes with HQ's
		// figures.
		return d, errors.Join(errs...)
	}
	if err != nil {
		return derived{}, fmt.Errorf("find the sale that entry %d voids: %w", seq, err)
	}
	errs = append(errs, d.effects(seq, at.BusinessDate, sale, -1), d.rights(seq, when, sale, -1))
	if s := spendOfSale(sale); s.All != 0 {
		errs = append(errs, d.put(TableSpend, seqKey(seq), spend{Voids: at.At.Seq}))
	}
	return d, errors.Join(errs...)
}

// effects adds what a sale changes in what is free of its account and vouchers; sign −1
// undoes it. What rights cover was set aside before.
func (d *derived) effects(seq uint64, date entry.Date, sale entry.Sale, sign int64) error {
	var account effect
	uses := map[uuid.UUID]int64{}
	var points []amount
	for _, r := range sale.Redeemed {
		if r.Right != uuid.Nil {
			continue
		}
		if r.Voucher != uuid.Nil {
			uses[r.Voucher] += sign * r.Amount
			continue
		}
		points = append(points, amount{Unit: r.Unit, Amount: sign * r.Amount})
	}
	account.Redeemed = points
	kept := keptOf(sale)
	for _, e := range sale.Earned {
		own := min(e.Amount, kept[e.Unit])
		kept[e.Unit] -= own
		if e.Amount > own {
			account.Earned = append(account.Earned, amount{Unit: e.Unit, Amount: sign * (e.Amount - own), VestsAt: e.VestsAt})
		}
	}
	var errs []error
	if sale.Account != uuid.Nil {
		account.Lots = lotsOf(sale, sign < 0)
		errs = append(errs, d.put(TableEffect, idKey(sale.Account, seq), account))
	}
	for voucher, n := range uses {
		errs = append(errs, d.put(TableEffect, idKey(voucher, seq), effect{Uses: n}))
	}
	if len(points) > 0 || sign > 0 && sale.Member != uuid.Nil && sale.Member == sale.Account {
		errs = append(errs, d.put(TableDay, key(dayKey(sale.Member, date), seqKey(seq)), points))
	}
	return errors.Join(errs...)
}

// lotsOf is what a sale does to what expires of its account; back says that a void or a
// return takes it back. A sale that moves no points names no unit: still it is activity.
func lotsOf(sale entry.Sale, back bool) []lotChange {
	var out []lotChange
	unit := func(name string) *lotChange {
		for i := range out {
			if out[i].Unit == name {
				return &out[i]
			}
		}
		out = append(out, lotChange{Unit: name, Back: back})
		return &out[len(out)-1]
	}
	for _, r := range sale.Redeemed {
		if r.Voucher == uuid.Nil {
			if c := unit(r.Unit); !back {
				c.Redeemed += r.Amount
			}
		}
	}
	for _, e := range sale.Earned {
		if c := unit(e.Unit); !back && e.ExpiresAt != 0 && (c.EndsAt == 0 || e.ExpiresAt < c.EndsAt) {
			c.EndsAt = e.ExpiresAt
		}
	}
	if out == nil {
		out = []lotChange{{}}
	}
	return out
}

func spendOfSale(sale entry.Sale) spend {
	var s spend
	for _, r := range sale.Redeemed {
		s.add(unitOf(r), r.Voucher != uuid.Nil, r.Amount, r.Right != uuid.Nil)
	}
	return s
}

// add counts a redemption, or a part of one.
func (s *spend) add(unit string, uses bool, n int64, onRight bool) {
	s.All += n
	switch {
	case onRight:
	case uses:
		s.Uses += n
	default:
		s.Points = append(s.Points, amount{Unit: unit, Amount: n})
	}
}

// unitOf is the unit in which the ledger counts what is redeemed.
func unitOf(r entry.Redemption) string {
	if r.Voucher != uuid.Nil {
		return loyalty.UseUnit(r.Voucher.String())
	}
	return r.Unit
}

func stepKey(subject uuid.UUID, step int64) []byte {
	return key(subject[:], seqKey(uint64(step)))
}

// saleOf reads a sale of this journal by its id, or answers ErrAbsent.
func (t *Till) saleOf(ctx context.Context, id uuid.UUID) (entry.Sale, Entry, error) {
	var seq uint64
	err := t.look(ctx, func(l look) error {
		var found bool
		var err error
		if seq, found, err = get[uint64](l, TableSale, id[:]); err == nil && !found {
			err = ErrAbsent
		}
		return err
	})
	if err != nil {
		return entry.Sale{}, Entry{}, err
	}
	return readBody[entry.Sale](ctx, t.cfg.Journal, seq)
}

// gone says whether an entry is not here (any more).
func gone(err error) bool { return errors.Is(err, ErrAbsent) || errors.Is(err, journal.ErrPruned) }

// readBody reads one entry of the journal.
func readBody[T any](ctx context.Context, j Journal, seq uint64) (body T, at Entry, err error) {
	body, e, hash, err := readHashed[T](ctx, j, seq)
	return body, Entry{At: journal.Head{Seq: seq, Hash: hash}, OccurredAt: e.At(), BusinessDate: e.BusinessDate}, err
}

// readEntry reads one entry with its envelope.
func readEntry[T any](ctx context.Context, j Journal, seq uint64) (body T, e entry.Entry, err error) {
	body, e, _, err = readHashed[T](ctx, j, seq)
	return body, e, err
}

func readHashed[T any](ctx context.Context, j Journal, seq uint64) (body T, e entry.Entry, hash journal.Hash, err error) {
	run, err := j.Read(ctx, seq, 1, math.MaxInt32)
	if err == nil && len(run.Entries) != 1 {
		err = ErrAbsent
	}
	if err != nil {
		return body, e, hash, fmt.Errorf("read entry %d: %w", seq, err)
	}
	if e, err = entry.Decode(run.Entries[0]); err != nil {
		return body, e, hash, fmt.Errorf("read entry %d: %w", seq, err)
	}
	body, err = entry.DecodeBody[T](e)
	return body, e, run.Hashes[0], err
}
