package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// ownerStore moves members and vouchers from one account to another.
type ownerStore interface {
	DropMember(ctx context.Context, key AccountKey, member uuid.UUID) error
	DropVoucher(ctx context.Context, key AccountKey, voucher uuid.UUID) error
	// RaiseVersion makes the version of an account at least this.
	RaiseVersion(ctx context.Context, key AccountKey, version uint64) error
}

// Owned is what edges know under one account: members and vouchers, and the
// version they were told of last. Heir is who answers for the vouchers once they are
// adopted; zero leaves each to who did.
type Owned struct {
	Version  uint64            `cbor:"1,keyasint"`
	Members  []wire.Member     `cbor:"2,keyasint,omitempty"`
	Vouchers []loyalty.Voucher `cbor:"3,keyasint,omitempty"`
	Heir     uuid.UUID         `cbor:"4,keyasint,omitzero"`
}

// Inherited are the vouchers as they are adopted.
func (o Owned) Inherited() []loyalty.Voucher {
	out := slices.Clone(o.Vouchers)
	for i := range out {
		if o.Heir != uuid.Nil {
			out[i].Member = loyalty.ID(o.Heir)
		}
	}
	return out
}

// Release takes members and their vouchers off an account, in the caller's
// transaction; only is nil for all of them, else the ids of members, whose vouchers go
// along, and of vouchers. Edges are told nothing before [Adopt].
func (l *Ledger) Release(ctx context.Context, accountID uuid.UUID, only map[uuid.UUID]bool) (Owned, error) {
	var out Owned
	err := l.o.Store.InTx(ctx, func(ctx context.Context) error {
		key := AccountKey{shard.Of(accountID), accountID}
		a, err := l.lock(ctx, key)
		if err != nil {
			return err
		}
		out = Owned{Version: a.version}
		members, err := l.o.Store.AccountMembers(ctx, []AccountKey{key})
		if err != nil {
			return fmt.Errorf("read members: %w", err)
		}
		for _, row := range members {
			if only != nil && !only[row.Member] {
				continue
			}
			m, err := wire.Unmarshal[wire.Member](row.Profile)
			if err != nil {
				return fmt.Errorf("read profile of member %s: %w", row.Member, err)
			}
			out.Members = append(out.Members, m)
			if err := l.o.Store.DropMember(ctx, key, row.Member); err != nil {
				return fmt.Errorf("release member: %w", err)
			}
		}
		return l.releaseVouchers(ctx, key, only, &out)
	})
	return out, err
}

func (l *Ledger) releaseVouchers(ctx context.Context, key AccountKey, only map[uuid.UUID]bool, out *Owned) error {
	rows, err := l.o.Store.AccountVouchers(ctx, []AccountKey{key})
	if err != nil {
		return fmt.Errorf("read vouchers: %w", err)
	}
	for _, row := range rows {
		v, err := wire.Unmarshal[loyalty.Voucher](row.Body)
		if err != nil {
			return fmt.Errorf("read voucher %s: %w", row.Voucher, err)
		}
		if only != nil && !only[uuid.UUID(v.Member)] && !only[row.Voucher] {
			continue
		}
		out.Vouchers = append(out.Vouchers, v)
		if err := l.o.Store.DropVoucher(ctx, key, row.Voucher); err != nil {
			return fmt.Errorf("release voucher: %w", err)
		}
	}
	return nil
}

// Adopt puts what was released under an account, in the caller's transaction, and
// tells the edges. Doing it again changes nothing but versions. The account's
// version is raised above the other's, so that edges take the news.
func (l *Ledger) Adopt(ctx context.Context, accountID uuid.UUID, owned Owned, by uuid.UUID) error {
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		key := AccountKey{shard.Of(accountID), accountID}
		if err := l.o.Store.OpenAccounts(ctx, []AccountKey{key}); err != nil {
			return fmt.Errorf("open account: %w", err)
		}
		if err := l.o.Store.RaiseVersion(ctx, key, owned.Version); err != nil {
			return fmt.Errorf("raise version: %w", err)
		}
		for _, m := range owned.Members {
			if err := l.moveTies(ctx, m, key); err != nil {
				return err
			}
			m.Account = accountID
			if err := l.PutMember(ctx, m, by, nil); err != nil {
				return err
			}
		}
		for _, v := range owned.Inherited() {
			v.Account = loyalty.ID(accountID)
			if err := l.adoptVoucher(ctx, key, v, by); err != nil {
				return err
			}
		}
		return l.inheritTies(ctx, key, owned)
	})
}

// adoptVoucher writes and publishes a voucher; its uses arrive with the holdings.
func (l *Ledger) adoptVoucher(ctx context.Context, key AccountKey, v loyalty.Voucher, by uuid.UUID) error {
	body, err := wire.Marshal(v)
	if err != nil {
		return err
	}
	a, err := l.lock(ctx, key)
	if err != nil {
		return err
	}
	row := VoucherRow{key, uuid.UUID(v.ID), body}
	if err := l.o.Store.PutVoucher(ctx, row); err != nil {
		return fmt.Errorf("write voucher: %w", err)
	}
	if err := l.o.Store.RaiseVersion(ctx, key, a.version); err != nil {
		return fmt.Errorf("raise version: %w", err)
	}
	item, err := voucherItem(a, row)
	if err != nil {
		return err
	}
	// KindHQVoucher would give uses: the voucher only changes hands.
	_, err = l.o.Journal.Write(ctx, hqjournal.Fact{
		Shard: key.Shard, Kind: entry.KindHQVoucherMoved,
		Body:    entry.HQRecord{ID: row.Voucher, Version: a.version, Record: body, By: by},
		Publish: []feed.Change{{Item: item}},
	})
	return err
}

// Locked runs fn in a transaction while an account's row is locked; fn gets the
// account as it is, with what is due by now vested but not posted. A missing
// account is problem.NotFound.
func (l *Ledger) Locked(ctx context.Context, accountID uuid.UUID, fn func(ctx context.Context, a Account) error) error {
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		a, err := l.lock(ctx, AccountKey{shard.Of(accountID), accountID})
		if err != nil {
			return err
		}
		from, err := l.picked(a)
		if err != nil {
			return err
		}
		return fn(ctx, Account{ID: accountID, Version: a.version, Marks: a.marks, Holdings: from.Holdings})
	})
}

// ApplyNow applies one stored entry in the caller's transaction, before its turn;
// when its turn comes it is passed over. An entry that was applied changes nothing.
func (l *Ledger) ApplyNow(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) error {
	rows, err := l.o.Store.EntriesAt(ctx, terminal, epoch, seq)
	if err != nil {
		return fmt.Errorf("read entry: %w", err)
	}
	if len(rows) != 1 {
		return problem.Newf(problem.Conflict, "terminal %s has %d entries %d", terminal, len(rows), seq)
	}
	if rows[0].State == Applied {
		return nil
	}
	f, ok := factOf(rows[0])
	if !ok {
		return nil
	}
	facts, err := l.route(ctx, []fact{f})
	if err != nil {
		return err
	}
	return l.post(ctx, facts)
}

// LotSources says from which source each open lot of an account came.
func (l *Ledger) LotSources(ctx context.Context, accountID uuid.UUID) (map[loyalty.ID]journal.Hash, error) {
	a, err := l.readAccount(ctx, accountID)
	if err != nil {
		return nil, err
	}
	return a.lotSource, nil
}
