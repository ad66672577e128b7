package till

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/wire"
)

// Presented is the HQ epoch to which this terminal has shown its grants; zero is none.
func (t *Till) Presented() uint32 { return t.linkNow().Presented }

// SetPresented notes that HQ, in this epoch, has seen all grants of this terminal.
func (t *Till) SetPresented(ctx context.Context, hqEpoch uint32) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	t.feed.Lock()
	defer t.feed.Unlock()
	next := t.linkNow()
	next.Presented = max(next.Presented, hqEpoch)
	return t.store(ctx, nil, next)
}

// Grants returns up to limit of the signed grants of this terminal that have not ended,
// released ones too: an HQ that was restored may have lost both. after is nil for the
// first and next of the last call for more; a nil next is the end.
func (t *Till) Grants(ctx context.Context, after []byte, limit int) (list []wire.Signed, next []byte, err error) {
	end, err := t.begin()
	if err != nil {
		return nil, nil, err
	}
	defer end()
	if after == nil {
		after = []byte{byte(TableRight)}
	}
	err = t.look(ctx, func(l look) error {
		page := grantPage{Till: t, look: l, limit: limit}
		for _, table := range []Table{TableRight, TableGrant} {
			var from []byte
			switch {
			case Table(after[0]) > table:
				continue
			case Table(after[0]) == table:
				from = after[1:]
			}
			if err := page.scan(table, from); err != nil {
				list, next = page.list, page.next
				return err
			}
		}
		list = page.list
		return nil
	})
	if errors.Is(err, errBeyond) {
		return list, next, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list grants: %w", err)
	}
	return list, nil, nil
}

// grantPage collects grants until it is full.
type grantPage struct {
	*Till
	look  look
	limit int
	list  []wire.Signed
	next  []byte
}

// scan goes through one of the two tables in the order of its keys: what is on its way
// into the store is not seen yet, and is young enough to be presented next time.
func (p *grantPage) scan(table Table, from []byte) error {
	return p.look.view.Scan(table, nil, from, func(k, value []byte) error {
		if len(p.list) >= p.limit {
			p.next = append([]byte{byte(table)}, bytes.Clone(k)...)
			return errBeyond
		}
		if table == TableRight {
			return p.addReceived(value)
		}
		return p.addGranted(k)
	})
}

func (p *grantPage) addReceived(value []byte) error {
	rows, err := decode[[]rightRow](TableRight, value)
	if err != nil {
		return err
	}
	now, _ := p.time.now()
	for _, row := range rows {
		if row.Source != fromGrant && row.Source != fromAsking || row.EndsAt <= now.UnixMilli() {
			continue
		}
		signed, err := wire.Unmarshal[wire.Signed](row.Proof)
		if err != nil {
			continue // the entry came without one
		}
		p.list = append(p.list, signed)
	}
	return nil
}

func (p *grantPage) addGranted(k []byte) error {
	_, received, err := get[[]rightRow](p.look, TableRight, k)
	if err != nil || received {
		return err
	}
	said, found, err := readItem[wire.Allowance](p.look, wire.ItemAllowance, uuid.UUID(k[16:]))
	if err != nil || !found {
		return err
	}
	g, err := decode[wire.Grant](TableItem, said.Grant.Payload)
	now, _ := p.time.now()
	if err == nil && g.Terminal == p.cfg.Writer.ID && g.Epoch == p.cfg.Writer.Epoch && g.EndsAt > now.UnixMilli() {
		p.list = append(p.list, said.Grant)
	}
	return err
}
