package quarter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/claim"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/identity"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/liability"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/reconcile"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/server/webshop"
)

// office is head office: the rooms of production over one database, with a clock and
// chance that are handed in.
type office struct {
	db        *store.DB
	clock     *clock.Fake
	id        uuid.UUID
	statement keys.Signer
	keys      keys.Set

	ledger    *ledger.Ledger
	ingest    *ingest.Service
	fleet     *fleet.Fleet
	programme *programme.Programme
	accounts  *account.Accounts
	rights    *allowance.Service
	storeDays *storeday.Service
	cases     *casework.Service
	owed      *liability.Service
	settling  *settlement.Service
}

// openOffice opens head office on an empty database.
func openOffice(ctx context.Context, dsn string, start time.Time, d *dice) (*office, error) {
	db, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		return nil, err
	}
	o := &office{db: db, clock: clock.NewFake(start.Add(-24 * time.Hour))}
	if err := errors.Join(db.Migrate(ctx), o.assemble(start, d)); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := o.programme.PublishKeys(ctx, o.keys); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return o, nil
}

func (o *office) assemble(start time.Time, d *dice) error {
	newID := func() uuid.UUID { return d.id(o.clock.Now()) }
	o.id = newID()
	from, to := start.AddDate(-1, 0, 0), start.AddDate(10, 0, 0)
	var err error
	if o.statement, err = keys.NewSigner(keys.Public{ID: 1, Use: keys.UseStatement, NotBefore: from, NotAfter: to}, bytes.Repeat([]byte{1}, 32)); err != nil {
		return err
	}
	pass, err := keys.NewSigner(keys.Public{ID: 1, Use: keys.UsePass, NotBefore: from, NotAfter: to}, bytes.Repeat([]byte{2}, 32))
	if err != nil {
		return err
	}
	group := keys.GroupKey{Epoch: 1, Secret: bytes.Repeat([]byte{3}, 32), NotBefore: from, NotAfter: to}
	o.keys = keys.Set{Version: 1, Keys: []keys.Public{o.statement.Public, pass.Public}}

	f := feed.New(o.db, o.id, 1)
	j := hqjournal.New(o.db, f, o.clock, o.id, 1, o.statement)
	o.ledger = ledger.New(ledger.Options{
		Store: o.db, Journal: j, Feed: f, Rules: programme.PublishedRules{Keeper: o.db}, Clock: o.clock, HQ: o.id,
	})
	o.fleet = fleet.New(fleet.Env{
		Keeper: o.db, Journal: j, Clock: o.clock, Random: d, NewID: newID, HQ: o.id, Keys: o.keys,
		NonceKey: bytes.Repeat([]byte{4}, 32), HQEpoch: 1, Statement: o.statement,
	})
	o.ingest = ingest.New(ingest.Options{
		Store: o.db, Fleet: o.fleet, Journal: j, HQ: o.id, HQEpoch: 1, Signer: o.statement, Retain: time.Hour,
	})
	o.programme = programme.New(programme.Env{
		Keeper: o.db, Journal: j, Ledger: o.ledger, Clock: o.clock, Random: d, NewID: newID, HQ: o.id,
		PassKey: pass, Groups: []keys.GroupKey{group},
	})
	o.accounts = account.New(account.Env{
		Store: o.db, Ledger: o.ledger, Journal: j, Units: o.programme, Clock: o.clock, NewID: newID,
		Recall: func(ctx context.Context, account uuid.UUID) (int, error) { return o.rights.Recall(ctx, account) },
	})
	o.rights = allowance.New(allowance.Options{
		Store: o.db, Ledger: o.ledger, Journal: j, Feed: f, Policies: o.programme, Clock: o.clock, NewID: newID,
		HQ: o.id, HQEpoch: 1, Signer: o.statement, Keys: o.keys,
	})
	pools := identity.New(identity.Options{
		Store: o.db, Programme: o.programme, Ledger: o.ledger, Feed: f, Clock: o.clock, NewID: newID, Keys: o.keys,
	})
	o.storeDays = storeday.New(storeday.Env{
		Store: o.db, Fleet: o.fleet, Journal: j, Clock: o.clock, HQ: o.id, HQEpoch: 1, Signer: o.statement, Virtual: webshop.IsLane,
	})
	o.owed = liability.New(liability.Env{Store: o.db, Journal: j, Clock: o.clock})
	o.settling = settlement.New(settlement.Env{Store: o.db, Journal: j, Places: settlement.PlacesOf(o.fleet), Clock: o.clock, NewID: newID})
	o.cases = casework.New(casework.Env{Store: o.db, Journal: j, Ledger: o.ledger, People: directory{}, Clock: o.clock, NewID: newID})
	o.ledger.SetBeside(pools, claim.New(claim.Options{Store: o.db, Ledger: o.ledger, Policies: o.programme, Clock: o.clock}),
		reconcile.New(o.db, o.storeDays.Closed))
	return nil
}

// directory is who works at head office: whoever says so.
type directory struct{}

func (directory) Person(_ context.Context, id uuid.UUID) (people.Person, error) {
	return people.Person{ID: id, Name: "Ann"}, nil
}

// until lets head office's clock go on to a moment.
func (o *office) until(at time.Time) {
	if ahead := at.Sub(o.clock.Now()); ahead > 0 {
		o.clock.Advance(ahead)
	}
}

func (o *office) ms() int64 { return o.clock.Now().UnixMilli() }

// apply posts all that was taken in.
func (o *office) apply(ctx context.Context) error {
	for {
		n, err := o.ledger.Apply(ctx)
		if err != nil {
			return fmt.Errorf("apply entries: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

// sweep lets time pass for all accounts, and returns up to when.
func (o *office) sweep(ctx context.Context) (int64, error) {
	for {
		done, err := o.ledger.Sweep(ctx)
		if err != nil {
			return 0, fmt.Errorf("let lots expire: %w", err)
		}
		if done.Accounts == 0 {
			return done.Until, nil
		}
	}
}

// exceptions reads all of them.
func (o *office) exceptions(ctx context.Context, of ledger.ExceptionFilter) (all []ledger.Exception, err error) {
	for cursor := ""; ; {
		page, next, err := o.ledger.Exceptions(ctx, of, cursor, 0)
		if err != nil {
			return nil, fmt.Errorf("list exceptions: %w", err)
		}
		all = append(all, page...)
		if next == "" {
			return all, nil
		}
		cursor = next
	}
}
