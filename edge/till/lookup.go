package till

import (
	"context"
	"math"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// Sale finds a sale of this terminal by its id.
func (t *Till) Sale(ctx context.Context, id uuid.UUID) (Found, error) {
	end, err := t.begin()
	if err != nil {
		return Found{}, err
	}
	defer end()
	if found, training := t.practice.find(id); training {
		return found, nil
	}
	return t.find(ctx, id)
}

// SaleByKey finds the sale that was made under an idempotency key.
func (t *Till) SaleByKey(ctx context.Context, key string) (Found, error) {
	end, err := t.begin()
	if err != nil {
		return Found{}, err
	}
	defer end()
	seq, err := t.madeUnder(ctx, key)
	if err != nil {
		return Found{}, unknownSale(err)
	}
	sale, _, err := readBody[entry.Sale](ctx, t.cfg.Journal, seq)
	if err != nil {
		return Found{}, unknownSale(err)
	}
	return t.find(ctx, sale.ID)
}

// madeUnder returns the entry of the sale made under a key, or ErrAbsent.
func (t *Till) madeUnder(ctx context.Context, key string) (uint64, error) {
	var m made
	err := t.look(ctx, func(l look) error {
		var found bool
		var err error
		m, found, err = get[made](l, TableKey, textKey(key))
		if err == nil && (!found || m.Kind != entry.KindSale) {
			err = ErrAbsent
		}
		return err
	})
	return m.Seq, err
}

// latestWith returns the latest sale with a POS receipt number, or ErrAbsent.
func (t *Till) latestWith(ctx context.Context, receipt string) (uuid.UUID, error) {
	var sale uuid.UUID
	err := t.look(ctx, func(l look) error {
		var last uint64
		err := l.scan(TableReceipt, textKey(receipt), nil, func(key, value []byte) error {
			if seq := seqOf(key); seq > last {
				var err error
				last = seq
				sale, err = decode[uuid.UUID](TableReceipt, value)
				return err
			}
			return nil
		})
		if err == nil && last == 0 {
			err = ErrAbsent
		}
		return err
	})
	return sale, err
}

func (t *Till) find(ctx context.Context, id uuid.UUID) (Found, error) {
	body, at, err := t.saleOf(ctx, id)
	if err != nil {
		return Found{}, unknownSale(err)
	}
	out := Found{Sale: t.withClaim(Sale{Entry: at, Body: body})}
	remains, err := t.remainsOf(ctx, body, math.MaxUint64)
	if err != nil {
		return Found{}, err
	}
	out.Returned, out.Left = remains.broughtBack(), remains.left()
	seq, voided, err := t.voidOf(ctx, id)
	if err != nil || !voided {
		return out, err
	}
	void, at, err := readBody[entry.Void](ctx, t.cfg.Journal, seq)
	if err != nil {
		return Found{}, err
	}
	out.Void, out.Left = &Voided{Entry: at, Body: void}, nil
	return out, nil
}
