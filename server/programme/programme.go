package programme

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Keeper is the storage the programme needs. Methods take part in the transaction
// of ctx, if there is one. What is missing is problem.NotFound. Lists are in the
// order of ids (so of creation), begin after the given id and have at most limit
// rows.
type Keeper interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error

	// LatestVersion returns the highest version of a versioned record, Version one
	// of them. AddVersion refuses a version that exists with problem.Conflict.
	LatestVersion(ctx context.Context, kind string) (version uint64, body []byte, err error)
	Version(ctx context.Context, kind string, version uint64) (body []byte, err error)
	AddVersion(ctx context.Context, kind string, version uint64, body []byte, by uuid.UUID, at time.Time) error

	AddReward(ctx context.Context, r Reward) error
	// SetReward is problem.Conflict unless the stored version is one below r.Version.
	SetReward(ctx context.Context, r Reward) error
	Reward(ctx context.Context, id uuid.UUID) (Reward, error)
	Rewards(ctx context.Context, after uuid.UUID, limit int) ([]Reward, error)

	// AddMember refuses a reference that is taken with problem.NameTaken.
	AddMembers(ctx context.Context, members []Member) error
	// SetMember writes alias, issue and blocked; problem.Conflict as in SetReward.
	SetMember(ctx context.Context, m Member) error
	Member(ctx context.Context, id uuid.UUID) (Member, error)
	// MemberOf returns who has a reference.
	MemberOf(ctx context.Context, reference string) (uuid.UUID, error)
	// Members lists those whose id is query, or whose alias or reference begins with
	// it, whatever the case; all for the empty query.
	Members(ctx context.Context, query string, after uuid.UUID, limit int) ([]Member, error)
	CountMembers(ctx context.Context) (int64, error)
	// MembersOf returns the members of these ids that exist, in any order.
	MembersOf(ctx context.Context, ids []uuid.UUID) ([]Member, error)

	AddVoucher(ctx context.Context, v Voucher) error
	// SetGiven notes since when a voucher is given away; one that is keeps its time. The
	// zero time is for one that is not.
	SetGiven(ctx context.Context, id uuid.UUID, at time.Time) error
	Voucher(ctx context.Context, id uuid.UUID) (Voucher, error)
	// Vouchers lists those of one member, or of all for the zero id.
	Vouchers(ctx context.Context, member, after uuid.UUID, limit int) ([]Voucher, error)
}

// Journal is HQ's own journal; see hqjournal.
type Journal interface {
	Append(ctx context.Context, facts ...hqjournal.Fact) error
}

// Ledger is what the programme needs of the ledger; every change joins the
// transaction of ctx, is journalled and told to the stores by the ledger.
type Ledger interface {
	PutMembers(ctx context.Context, by uuid.UUID, changes []ledger.MemberChange) error
	Adjust(ctx context.Context, a entry.HQAdjustment) error
	IssueVoucher(ctx context.Context, v loyalty.Voucher, by uuid.UUID) error
	RenewVoucher(ctx context.Context, account, voucher, by uuid.UUID) error
	Vouchers(ctx context.Context, account uuid.UUID) ([]loyalty.Voucher, error)
}

// Env is what the programme takes from its surroundings.
type Env struct {
	Keeper  Keeper
	Journal Journal
	Ledger  Ledger
	Clock   clock.Clock
	Random  io.Reader
	NewID   func() uuid.UUID
	HQ      uuid.UUID
	// PassKey signs passes; Groups are the freshness secrets of rotating codes.
	PassKey keys.Signer
	Groups  []keys.GroupKey
}

// Programme is the one programme of an HQ. It is safe for concurrent use.
type Programme struct{ env Env }

// New returns the programme.
func New(env Env) *Programme { return &Programme{env: env} }

func (p *Programme) now() time.Time {
	return p.env.Clock.Now().UTC().Truncate(time.Millisecond)
}

// record journals a record of the programme set whole and tells all stores.
func (p *Programme) record(ctx context.Context, kind entry.Kind, by uuid.UUID, item wire.Item) error {
	return p.recordAs(ctx, kind, by, item, item.Body)
}

// recordAs is record for an item of which the journal keeps something else than
// what the stores are told.
func (p *Programme) recordAs(ctx context.Context, kind entry.Kind, by uuid.UUID, item wire.Item, kept []byte) error {
	in := shard.Of(p.env.HQ)
	return p.env.Journal.Append(ctx, hqjournal.Fact{
		Shard: in, Kind: kind,
		Body:    entry.HQRecord{ID: item.ID, Version: item.Version, Record: kept, By: by},
		Publish: []feed.Change{{Shard: in, Item: item}},
	})
}
