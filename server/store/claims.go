package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/claim"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
)

var _ claim.Store = (*DB)(nil)

const claimColumns = "claim, state, sale, terminal, epoch, seq, store, proven, occurred_at, effective_at, sale_raw, member, account, due_at"

type claimRow struct {
	laneRow
	Claim       []byte `bun:"claim"`
	State       uint8  `bun:"state"`
	Sale        []byte `bun:"sale"`
	Seq         uint64 `bun:"seq"`
	Proven      int    `bun:"proven"`
	OccurredAt  int64  `bun:"occurred_at"`
	EffectiveAt int64  `bun:"effective_at"`
	Raw         []byte `bun:"sale_raw"`
	Member      []byte `bun:"member"`
	Account     []byte `bun:"account"`
	DueAt       int64  `bun:"due_at"`
}

func (r claimRow) claim() claim.Row {
	return claim.Row{
		Claim: toID(r.Claim), State: claim.State(r.State), SaleID: toID(r.Sale), Member: toID(r.Member), Account: toID(r.Account), DueAt: r.DueAt,
		Sale: ledger.Entry{
			Terminal: toID(r.ID), Store: toID(r.Store), Epoch: r.Epoch, Seq: r.Seq, Proven: r.Proven == 1,
			OccurredAt: r.OccurredAt, EffectiveAt: r.EffectiveAt, Raw: r.Raw,
		},
	}
}

// LockClaim implements claim.Store.
func (db *DB) LockClaim(ctx context.Context, id uuid.UUID) (claim.Row, bool, error) {
	if _, err := db.exec(ctx, "UPDATE claims SET state = state WHERE shard = ? AND claim = ?", shard.Of(id), idBytes(id)); err != nil {
		return claim.Row{}, false, err
	}
	var r claimRow
	err := db.read(ctx).NewRaw("SELECT "+claimColumns+" FROM claims WHERE shard = ? AND claim = ?", shard.Of(id), idBytes(id)).Scan(ctx, &r)
	if errors.Is(err, sql.ErrNoRows) {
		return claim.Row{}, false, nil
	}
	return r.claim(), err == nil, err
}

// AddClaim implements claim.Store.
func (db *DB) AddClaim(ctx context.Context, r claim.Row) error {
	return db.insert(ctx, "INSERT INTO claims (shard, "+claimColumns+")", []row{claimValues(r)}, "ON CONFLICT DO NOTHING")
}

// SetClaim implements claim.Store.
func (db *DB) SetClaim(ctx context.Context, r claim.Row) error {
	return db.insert(ctx, "INSERT INTO claims (shard, "+claimColumns+")", []row{claimValues(r)},
		"ON CONFLICT (shard, claim) DO UPDATE SET state = EXCLUDED.state, sale = EXCLUDED.sale, terminal = EXCLUDED.terminal, epoch = EXCLUDED.epoch, "+
			"seq = EXCLUDED.seq, store = EXCLUDED.store, proven = EXCLUDED.proven, occurred_at = EXCLUDED.occurred_at, effective_at = EXCLUDED.effective_at, "+
			"sale_raw = EXCLUDED.sale_raw, member = EXCLUDED.member, account = EXCLUDED.account, due_at = EXCLUDED.due_at")
}

func claimValues(r claim.Row) row {
	return row{
		shard.Of(r.Claim), idBytes(r.Claim), uint8(r.State), idBytes(r.SaleID), idBytes(r.Sale.Terminal), r.Sale.Epoch, r.Sale.Seq, idBytes(r.Sale.Store),
		bit(r.Sale.Proven), r.Sale.OccurredAt, r.Sale.EffectiveAt, blob(r.Sale.Raw), idBytes(r.Member), idBytes(r.Account), r.DueAt,
	}
}

type claimFactRow struct {
	laneRow
	Claim      []byte `bun:"claim"`
	Source     []byte `bun:"source"`
	Kind       uint8  `bun:"kind"`
	Place      int64  `bun:"place"`
	Member     []byte `bun:"member"`
	By         []byte `bun:"by_person"`
	Token      []byte `bun:"token"`
	Seq        uint64 `bun:"seq"`
	Proven     int    `bun:"proven"`
	OccurredAt int64  `bun:"occurred_at"`
	Effective  int64  `bun:"effective_at"`
	RecordedAt int64  `bun:"recorded_at"`
	Done       int    `bun:"done"`
}

func (r claimFactRow) fact() claim.Fact {
	return claim.Fact{
		Claim: toID(r.Claim), Kind: claim.FactKind(r.Kind), Source: toHash(r.Source), Place: r.Place, Member: toID(r.Member), By: toID(r.By), Token: r.Token,
		Done: r.Done == 1,
		Entry: ledger.Entry{
			Terminal: toID(r.ID), Store: toID(r.Store), Epoch: r.Epoch, Seq: r.Seq, Hash: toHash(r.Source), Proven: r.Proven == 1,
			OccurredAt: r.OccurredAt, EffectiveAt: r.Effective, RecordedAt: r.RecordedAt,
		},
	}
}

const claimFactColumns = "claim, source, kind, place, member, by_person, token, terminal, epoch, seq, store, proven, occurred_at, effective_at, recorded_at, done"

// ClaimFacts implements claim.Store.
func (db *DB) ClaimFacts(ctx context.Context, id uuid.UUID) ([]claim.Fact, error) {
	var rows []claimFactRow
	err := db.read(ctx).NewRaw("SELECT "+claimFactColumns+" FROM claim_facts WHERE shard = ? AND claim = ? ORDER BY place, source", shard.Of(id), idBytes(id)).
		Scan(ctx, &rows)
	return convert(rows, claimFactRow.fact), err
}

// AddClaimFact implements claim.Store.
func (db *DB) AddClaimFact(ctx context.Context, f claim.Fact) error {
	var last int64
	err := db.read(ctx).NewRaw("SELECT COALESCE(MAX(place), 0) FROM claim_facts WHERE shard = ? AND claim = ?", shard.Of(f.Claim), idBytes(f.Claim)).Scan(ctx, &last)
	if err != nil {
		return err
	}
	e := f.Entry
	return db.insert(ctx, "INSERT INTO claim_facts (shard, "+claimFactColumns+")", []row{{
		shard.Of(f.Claim), idBytes(f.Claim), hashBytes(f.Source), uint8(f.Kind), last + 1, idBytes(f.Member), idBytes(f.By), blob(f.Token),
		idBytes(e.Terminal), e.Epoch, e.Seq, idBytes(e.Store), bit(e.Proven), e.OccurredAt, e.EffectiveAt, e.RecordedAt, bit(f.Done),
	}}, "ON CONFLICT DO NOTHING")
}

// ClaimFactDone implements claim.Store.
func (db *DB) ClaimFactDone(ctx context.Context, f claim.Fact) error {
	_, err := db.exec(ctx, "UPDATE claim_facts SET done = 1 WHERE shard = ? AND claim = ? AND source = ?", shard.Of(f.Claim), idBytes(f.Claim), hashBytes(f.Source))
	return err
}

// ClaimsDue implements claim.Store.
func (db *DB) ClaimsDue(ctx context.Context, at int64, limit int) ([]uuid.UUID, error) {
	var rows []claimRow
	err := db.read(ctx).NewRaw("SELECT "+claimColumns+" FROM claims WHERE due_at > 0 AND due_at <= ? ORDER BY due_at LIMIT ?", at, limit).Scan(ctx, &rows)
	return convert(rows, func(r claimRow) uuid.UUID { return toID(r.Claim) }), err
}
