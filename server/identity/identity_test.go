package identity_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/identity"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// rig is HQ's books with a programme and its pools.
type rig struct {
	*books.HQ
	*programme.Programme
	pools *identity.Service
}

func newRig(t *testing.T, hq *books.HQ) *rig {
	t.Helper()
	signer, err := keys.NewSigner(keys.Public{
		ID: 1, Use: keys.UsePass, NotBefore: books.Start.AddDate(-1, 0, 0), NotAfter: books.Start.AddDate(20, 0, 0),
	}, bytes.Repeat([]byte{9}, 32))
	must(t, err)
	newID := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	r := &rig{HQ: hq, Programme: programme.New(programme.Env{
		Keeper: hq.DB, Journal: hq.Journal, Ledger: hq.Ledger, Clock: hq.Clock, Random: rand.Reader, NewID: newID, HQ: hq.ID, PassKey: signer,
	})}
	r.pools = identity.New(identity.Options{
		Store: hq.DB, Programme: r.Programme, Ledger: hq.Ledger, Feed: hq.Feed, Clock: hq.Clock, NewID: newID,
		Keys: keys.Set{Version: 1, Keys: []keys.Public{signer.Public}},
	})
	hq.Ledger.SetBeside(r.pools)
	r.policy(t, 3)
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// policy puts a size of pools in force.
func (r *rig) policy(t *testing.T, each int64) {
	t.Helper()
	_, err := r.PutPolicy(context.Background(), uuid.Nil, loyalty.Policy{Unit: "points", Identities: each})
	must(t, err)
}

// lane is a till in the roster.
func (r *rig) lane(t *testing.T, name string) *books.Till {
	t.Helper()
	till := r.Till(t, name)
	must(t, r.DB.AddTerminal(context.Background(), fleet.Terminal{
		ID: till.ID, Store: till.Store, Name: name, State: fleet.StateEnrolled, Epoch: 1, Version: 1, CreatedAt: r.Clock.Now(),
	}))
	return till
}

// told is what the feed of a store has of identities: those to be used, in order, and
// how many are gone.
func (r *rig) told(t *testing.T, shop uuid.UUID) (left []wire.Identity, gone int) {
	t.Helper()
	must(t, r.pools.Round(context.Background()))
	page, err := r.Feed.Page(context.Background(), shop, "", 0)
	must(t, err)
	for _, it := range page.Items {
		if it.Kind != wire.ItemIdentity {
			continue
		}
		if it.Body == nil {
			gone++
			continue
		}
		identity, err := wire.Unmarshal[wire.Identity](it.Body)
		must(t, err)
		left = append(left, identity)
	}
	return left, gone
}

func enrolment(i wire.Identity, key string) entry.EnrolMember {
	return entry.EnrolMember{Member: i.Member, Account: i.Account, Issue: i.Issue, Pass: i.Pass, Key: key, KeyHash: []byte{1}}
}

// on runs a test on both engines.
func on(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, newRig(t, books.New(t))) })
	t.Run("postgres", func(t *testing.T) { fn(t, newRig(t, books.On(t, pg.Start(t).Database(t), 1))) })
}

func TestAMemberOfEachEnrolmentInWhateverOrder(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		a, b := r.lane(t, "a"), r.lane(t, "b")
		ids, _ := r.told(t, a.Store)
		if len(ids) != 3 || ids[0].Terminal != a.ID || ids[0].Account != entry.IdentityAccount(ids[0].Member) {
			t.Fatalf("told %+v", ids)
		}
		// The shopper enrols at one lane and buys at the other, which is heard first.
		a.Write(t, entry.KindEnrolMember, enrolment(ids[0], "k"))
		a.Sell(t, ids[0].Account, 1000, 0)
		sale := b.Sale(t, ids[0].Account, 2000, 0)
		sale.Member = ids[0].Member
		b.Write(t, entry.KindSale, sale)
		b.Sync(t, 1)
		r.Apply(t)
		if open := r.Exceptions(t, ledger.UnknownMember); len(open) == 0 || open[0].State != ledger.ExceptionOpen {
			t.Fatalf("exceptions %+v", open)
		}
		for range 2 { // sent again it is the same
			a.Sync(t, 1)
			r.Apply(t)
		}
		if h := r.Holding(t, ids[0].Account, "points"); h.Free != 30 {
			t.Errorf("%d points are free, want 30", h.Free)
		}
		for _, e := range r.Exceptions(t, ledger.UnknownMember) {
			if e.State != ledger.ExceptionWithdrawn {
				t.Errorf("exception %+v", e)
			}
		}
		if m, err := r.Programme.Member(ctx, ids[0].Member); err != nil || m.Account != ids[0].Account || m.Blocked || m.Issue != 1 {
			t.Errorf("member %+v, %v", m, err)
		}
		left, gone := r.told(t, a.Store)
		if len(left) != 3 || gone != 1 {
			t.Errorf("%d are left and %d gone, want 3 and 1", len(left), gone)
		}
		r.Verify(t)
		r.rebuilt(t)
	})
}

// rebuilt fails the test unless the journals give the same books again.
func (r *rig) rebuilt(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	again := books.On(t, "sqlite:"+filepath.Join(t.TempDir(), "again.db"), 0)
	must(t, r.DB.CopyLog(ctx, again.DB))
	_, err := again.Ledger.Replay(ctx, r.DB)
	must(t, err)
	_, err = r.DB.Compare(ctx, again.DB, true, func(d store.Difference) error {
		t.Errorf("%+v", d)
		return nil
	})
	must(t, err)
}

func TestPoolsFollowPolicyAndTerminals(t *testing.T) {
	r := newRig(t, books.New(t))
	ctx := context.Background()
	a := r.lane(t, "a")
	if left, _ := r.told(t, a.Store); len(left) != 3 {
		t.Fatalf("%d identities, want 3", len(left))
	}
	r.policy(t, 5)
	if left, _ := r.told(t, a.Store); len(left) != 5 {
		t.Errorf("%d identities, want 5", len(left))
	}
	r.policy(t, 0)
	if left, _ := r.told(t, a.Store); len(left) != loyalty.DefaultIdentities {
		t.Errorf("%d identities where the policy says none, want %d", len(left), loyalty.DefaultIdentities)
	}
	terminal, err := r.DB.Terminal(ctx, a.ID)
	must(t, err)
	terminal.State, terminal.Version = fleet.StateRevoked, 2
	must(t, r.DB.SetTerminal(ctx, terminal))
	if left, gone := r.told(t, a.Store); len(left) != 0 || gone != loyalty.DefaultIdentities {
		t.Errorf("revoked: %d left and %d gone", len(left), gone)
	}
	terminal.State, terminal.Version, terminal.Epoch = fleet.StateEnrolled, 3, 2
	must(t, r.DB.SetTerminal(ctx, terminal))
	left, _ := r.told(t, a.Store)
	if len(left) != loyalty.DefaultIdentities || left[0].Epoch != 2 {
		t.Errorf("enrolled again: %+v", left)
	}
	r.policy(t, -1)
	if left, _ := r.told(t, a.Store); len(left) != 0 {
		t.Errorf("switched off: %d left", len(left))
	}
}

// What nobody issued makes no member, one identity in two entries makes one, and one
// that a terminal gave away while it was revoked makes a blocked one.
func TestEnrolmentsThatAreNotAsIssued(t *testing.T) {
	r := newRig(t, books.New(t))
	ctx := context.Background()
	a, b := r.lane(t, "a"), r.lane(t, "b")
	ids, _ := r.told(t, a.Store)
	forged := ids[0]
	forged.Pass = append([]byte{}, forged.Pass...)
	forged.Pass[40] ^= 1
	a.Write(t, entry.KindEnrolMember, enrolment(forged, "forged"))
	a.Sync(t, 1)
	r.Apply(t)
	if _, err := r.Programme.Member(ctx, forged.Member); problem.CodeOf(err) != problem.NotFound || len(r.Exceptions(t, ledger.EnrolmentInvalid)) != 1 {
		t.Errorf("a forged identity: %v, %+v", err, r.Exceptions(t, ledger.EnrolmentInvalid))
	}
	a.Write(t, entry.KindEnrolMember, enrolment(ids[1], "first"))
	a.Write(t, entry.KindEnrolMember, enrolment(ids[1], "second"))
	a.Sync(t, 1)
	r.Apply(t)
	if list := r.Exceptions(t, ledger.IdentityRepeated); len(list) != 1 || list[0].Member != ids[1].Member || list[0].Terminal != a.ID {
		t.Errorf("given twice: %+v", list)
	}
	// An HQ that has lost the record knows its own signature, also from another lane's word.
	theirs, _ := r.told(t, b.Store)
	lost, err := r.FirstPass(uuid.MustParse("0190e7a0-0000-7000-8000-000000000001"))
	must(t, err)
	after := wire.Identity{Member: lost.Pass().Subject, Account: entry.IdentityAccount(lost.Pass().Subject), Issue: 1, Pass: lost[:]}
	b.Write(t, entry.KindEnrolMember, enrolment(after, "after the backup"))
	b.Sync(t, 1)
	r.Apply(t)
	if m, err := r.Programme.Member(ctx, after.Member); err != nil || m.Blocked {
		t.Errorf("a member issued after the backup: %+v, %v", m, err)
	}
	b.State = ingest.StateRevoked
	b.Write(t, entry.KindEnrolMember, enrolment(theirs[0], "too late"))
	b.Sell(t, theirs[0].Account, 1000, 0)
	_, err = b.Push(len(b.Entries)-1, len(b.Entries))
	must(t, err)
	r.Apply(t)
	if m, err := r.Programme.Member(ctx, theirs[0].Member); err != nil || !m.Blocked {
		t.Errorf("a member of a revoked terminal: %+v, %v", m, err)
	}
	if h := r.Holding(t, theirs[0].Account, "points"); h.Free != 0 || len(r.Exceptions(t, ledger.Unproven)) == 0 {
		t.Errorf("%d points are free", h.Free)
	}
	r.Verify(t)
	r.rebuilt(t)
}
