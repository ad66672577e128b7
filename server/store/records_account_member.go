package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// MemberAccount implements account.Store.
func (db *DB) MemberAccount(ctx context.Context, member uuid.UUID) (uuid.UUID, error) {
	m, err := db.Member(ctx, member)
	return m.Account, err
}

// MemberOf implements account.Store.
func (db *DB) MemberOf(ctx context.Context, reference string) (uuid.UUID, error) {
	var id []byte
	err := db.read(ctx).NewRaw("SELECT member FROM member_references WHERE reference = ?", reference).Scan(ctx, &id)
	if err != nil {
		return uuid.Nil, missing(err, "member")
	}
	return toID(id), nil
}

// MoveMemberRecords implements account.Store. A record lies in the shard of its
// account, so it is written anew there.
func (db *DB) MoveMemberRecords(ctx context.Context, members []uuid.UUID, to uuid.UUID) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		for _, id := range members {
			m, err := db.Member(ctx, id)
			if err != nil {
				return err
			}
			if m.Account == to {
				continue
			}
			if err := db.moveMember(ctx, m, to); err != nil {
				return err
			}
		}
		return nil
	})
}

func (db *DB) moveMember(ctx context.Context, m programme.Member, to uuid.UUID) error {
	err := db.changed(ctx, "DELETE FROM members WHERE shard = ? AND id = ? AND version = ?", shard.Of(m.Account), m.ID[:], int64(m.Version))
	if err != nil {
		return err
	}
	if m.Reference != "" {
		if _, err := db.exec(ctx, "DELETE FROM member_references WHERE reference = ?", m.Reference); err != nil {
			return err
		}
	}
	m.Account, m.Version = to, m.Version+1
	return db.AddMembers(ctx, []programme.Member{m})
}

// MoveVoucherRecords implements account.Store. Passes of a voucher stay in the shard they
// were issued in: their serial names it.
func (db *DB) MoveVoucherRecords(ctx context.Context, vouchers []loyalty.Voucher, to uuid.UUID) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		for _, of := range vouchers {
			v, err := db.Voucher(ctx, of.ID)
			if err != nil {
				return err
			}
			if member := uuid.UUID(of.Member); member != v.Member {
				v.Member = member
				if _, err := db.exec(ctx, "UPDATE passes SET member = ? WHERE voucher = ? AND length(voucher) > 0", v.Member[:], v.ID[:]); err != nil {
					return err
				}
			} else if v.Account == to {
				continue
			}
			if _, err := db.exec(ctx, "DELETE FROM vouchers WHERE shard = ? AND id = ?", shard.Of(v.Account), v.ID[:]); err != nil {
				return err
			}
			v.Account = to
			if err := db.AddVoucher(ctx, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// LastRecorded implements account.Store.
func (db *DB) LastRecorded(ctx context.Context, accountID uuid.UUID) (int64, error) {
	var at int64
	err := db.read(ctx).NewRaw("SELECT CAST(COALESCE(MAX(recorded_at), 0) AS BIGINT) FROM postings WHERE shard = ? AND account = ?",
		shard.Of(accountID), accountID[:]).Scan(ctx, &at)
	return at, err
}

// sourceRow is where the entry of a source stands.
type sourceRow struct {
	Source []byte `bun:"source"`
	Writer []byte `bun:"writer"`
	Epoch  uint32 `bun:"epoch"`
	Seq    uint64 `bun:"seq"`
	Kind   uint16 `bun:"kind"`
}

// sourcesOf finds where the entries behind an account's sources stand.
func (db *DB) sourcesOf(ctx context.Context, accountID uuid.UUID, sources []journal.Hash) ([]sourceRow, error) {
	in := shard.Of(accountID)
	return selectKeys[sourceRow](ctx, db, db.read(ctx), "SELECT source, writer, epoch, seq, kind FROM sources WHERE ?", "shard, account, source",
		convert(sources, func(h journal.Hash) row { return row{in, idBytes(accountID), hashBytes(h)} }))
}

// Sources implements account.Store.
func (db *DB) Sources(ctx context.Context, accountID uuid.UUID, sources []journal.Hash) (map[journal.Hash]account.Source, error) {
	rows, err := db.sourcesOf(ctx, accountID, sources)
	out := make(map[journal.Hash]account.Source, len(rows))
	for _, r := range rows {
		out[toHash(r.Source)] = account.Source{Writer: toID(r.Writer), Epoch: r.Epoch, Seq: r.Seq, Kind: entry.Kind(r.Kind)}
	}
	return out, err
}

// SourceMembers implements account.Store.
func (db *DB) SourceMembers(ctx context.Context, accountID uuid.UUID, sources []journal.Hash) (map[journal.Hash]uuid.UUID, error) {
	in := shard.Of(accountID)
	rows, err := db.sourcesOf(ctx, accountID, sources)
	if err != nil {
		return nil, err
	}
	var own, foreign []row
	for _, r := range rows {
		if entry.Kind(r.Kind) >= entry.KindHQStore {
			own = append(own, row{in, r.Epoch, r.Seq})
			continue
		}
		foreign = append(foreign, row{shard.Of(toID(r.Writer)), r.Writer, r.Epoch, r.Seq, r.Source})
	}
	type rawRow struct {
		Hash []byte `bun:"hash"`
		Raw  []byte `bun:"raw"`
	}
	out := map[journal.Hash]uuid.UUID{}
	for _, part := range []struct {
		keys           []row
		table, columns string
	}{{own, "hq_journal", "shard, epoch, seq"}, {foreign, "entries", "shard, terminal, epoch, seq, hash"}} {
		if len(part.keys) == 0 {
			continue
		}
		found, err := selectKeys[rawRow](ctx, db, db.read(ctx), "SELECT hash, raw FROM "+part.table+" WHERE ?", part.columns, part.keys)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if m := memberOfEntry(r.Raw); m != uuid.Nil {
				out[toHash(r.Hash)] = m
			}
		}
	}
	return out, nil
}

// memberOfEntry is the member an entry names, or the zero id.
func memberOfEntry(raw []byte) uuid.UUID {
	e, err := entry.Decode(raw)
	if err != nil {
		return uuid.Nil
	}
	switch e.Kind {
	case entry.KindSale:
		return memberIn(e, func(b entry.Sale) uuid.UUID { return b.Member })
	case entry.KindVoid:
		return memberIn(e, func(b entry.Void) uuid.UUID { return b.Member })
	case entry.KindReturn:
		return memberIn(e, func(b entry.Return) uuid.UUID { return b.Member })
	case entry.KindHQAdjustment:
		return memberIn(e, func(b entry.HQAdjustment) uuid.UUID { return b.Member })
	case entry.KindHQTransferIn, entry.KindHQTransferOut:
		return memberIn(e, func(b entry.HQTransfer) uuid.UUID { return b.Member })
	case entry.KindHQCorrection:
		return memberIn(e, func(b entry.HQCorrection) uuid.UUID { return b.Member })
	case entry.KindHQCorrectionUndo:
		return memberIn(e, func(b entry.HQCorrectionUndo) uuid.UUID { return b.Member })
	case entry.KindHQExceptionDecision:
		return memberIn(e, func(b entry.HQDecision) uuid.UUID { return b.Member })
	case entry.KindHQVoucher:
		return memberIn(e, func(b entry.HQRecord) uuid.UUID {
			v, err := wire.Unmarshal[loyalty.Voucher](b.Record)
			if err != nil {
				return uuid.Nil
			}
			return uuid.UUID(v.Member)
		})
	}
	return uuid.Nil
}

func memberIn[body any](e entry.Entry, member func(body) uuid.UUID) uuid.UUID {
	b, err := entry.DecodeBody[body](e)
	if err != nil {
		return uuid.Nil
	}
	return member(b)
}
