package sim

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/claim"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/identity"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/store"
)

// errDown is what everything answers in a process of HQ that has died.
var errDown = errors.New("this process of head office is down")

// office is HQ: one database and the processes on it. All of it is of one epoch;
// a restore makes a new one.
type office struct {
	w         *world
	file      string
	db        *store.DB
	look      *sql.DB // of the checks
	asked     []*sql.Stmt
	twice     *sql.Stmt
	shut      []uuid.UUID // terminals put in quarantine, and not looked at yet
	id        uuid.UUID
	epoch     uint32
	statement keys.Signer
	pass      keys.Signer
	group     keys.GroupKey
	keys      keys.Set
	processes []*process
}

// process is one replica: the rooms of HQ over a database that can fail them.
type process struct {
	db        *shaky
	feed      *feed.Feed
	journal   *hqjournal.Journal
	ledger    *ledger.Ledger
	ingest    *ingest.Service
	fleet     *fleet.Fleet
	programme *programme.Programme
	accounts  *account.Accounts
	rights    *allowance.Service
	pools     *identity.Service
	claims    *claim.Service
}

// shaky is the database as one process sees it. It dies at the write its fuse is set
// to, before or after that write is committed; a process that died does nothing more.
type shaky struct {
	*store.DB
	fuse   int
	dies   moment
	down   bool
	broken Broken

	forgets bool // the broken build: commits do nothing
}

type outermost struct{}

// InTx is one durable write of the process.
func (s *shaky) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if ctx.Value(outermost{}) != nil {
		return s.DB.InTx(ctx, fn)
	}
	return s.write(func() error {
		err := s.DB.InTx(context.WithValue(ctx, outermost{}, true), func(ctx context.Context) error {
			if err := fn(ctx); err != nil {
				return err
			}
			switch {
			case s.fuse == 1 && s.dies != after:
				return errDown
			case s.forgets:
				return errForgotten
			}
			return nil
		})
		if errors.Is(err, errForgotten) {
			return nil
		}
		return err
	})
}

// AdvanceApplied is a durable write outside any transaction.
func (s *shaky) AdvanceApplied(ctx context.Context, to []ledger.Waiting) error {
	return s.write(func() error {
		if s.fuse == 1 && s.dies != after {
			return errDown
		}
		return s.DB.AdvanceApplied(ctx, to)
	})
}

func (s *shaky) write(commit func() error) error {
	if s.down {
		return errDown
	}
	err := commit()
	switch {
	case s.fuse == 1:
		s.down, s.fuse = true, 0
		return errors.Join(err, errDown)
	case s.fuse > 1:
		s.fuse--
	}
	return err
}

// newOffice makes HQ in a folder of its own, on a copy of an empty migrated database.
func newOffice(ctx context.Context, w *world) (*office, error) {
	o := &office{w: w, file: filepath.Join(w.dir, "hq.db"), id: w.dice.id(w.now), epoch: 1}
	if err := os.WriteFile(o.file, w.options.Empty, 0o600); err != nil {
		return nil, err
	}
	year := 365 * 24 * time.Hour
	from, to := w.now.Add(-year), w.now.Add(10*year)
	var err error
	if o.statement, err = keys.NewSigner(keys.Public{ID: 1, Use: keys.UseStatement, NotBefore: from, NotAfter: to}, bytes.Repeat([]byte{1}, 32)); err != nil {
		return nil, err
	}
	if o.pass, err = keys.NewSigner(keys.Public{ID: 1, Use: keys.UsePass, NotBefore: from, NotAfter: to}, bytes.Repeat([]byte{2}, 32)); err != nil {
		return nil, err
	}
	o.group = keys.GroupKey{Epoch: 1, Secret: bytes.Repeat([]byte{3}, 32), NotBefore: from, NotAfter: to}
	o.keys = keys.Set{Version: 1, Keys: []keys.Public{o.statement.Public, o.pass.Public}}
	if err := o.open(ctx); err != nil {
		return nil, err
	}
	return o, o.any().programme.PublishKeys(ctx, o.keys)
}

// open opens the database and starts the processes.
func (o *office) open(ctx context.Context) error {
	var err error
	if o.db, err = store.Open(ctx, "sqlite:"+o.file, store.Options{Readers: 1}); err != nil {
		return err
	}
	if o.look, err = sql.Open("sqlite", "file:"+o.file); err != nil {
		return err
	}
	o.look.SetMaxOpenConns(1)
	if err := o.prepare(ctx); err != nil {
		return err
	}
	o.processes = make([]*process, o.w.plan.replicas)
	for i := range o.processes {
		o.start(i)
	}
	return nil
}

func (o *office) close() error {
	if o.db == nil {
		return nil
	}
	return errors.Join(o.look.Close(), o.db.Close())
}

// start starts a process, in the place of one that died or before any.
func (o *office) start(i int) {
	w := o.w
	clock := trueClock{w}
	newID := func() uuid.UUID { return w.dice.id(w.now) }
	db := &shaky{DB: o.db, broken: w.options.Broken}
	p := &process{db: db, feed: feed.New(db, o.id, o.epoch)}
	p.journal = hqjournal.New(db, p.feed, clock, o.id, o.epoch, o.statement)
	p.ledger = ledger.New(ledger.Options{
		Store: db, Journal: p.journal, Feed: p.feed, Rules: programme.PublishedRules{Keeper: db}, Clock: clock, HQ: o.id,
		ShardsPerTx: w.plan.shardsPerTx,
	})
	p.fleet = fleet.New(fleet.Env{
		Keeper: db, Journal: p.journal, Clock: clock, Random: w.dice, NewID: newID, HQ: o.id, Keys: o.keys,
		NonceKey: bytes.Repeat([]byte{4}, 32), HQEpoch: o.epoch, Statement: o.statement,
	})
	p.ingest = ingest.New(ingest.Options{
		Store: db, Fleet: quarantiner{p.fleet, w}, Journal: p.journal, HQ: o.id, HQEpoch: o.epoch, Signer: o.statement, Retain: time.Hour,
	})
	p.programme = programme.New(programme.Env{
		Keeper: db, Journal: p.journal, Ledger: p.ledger, Clock: clock, Random: w.dice, NewID: newID, HQ: o.id,
		PassKey: o.pass, Groups: []keys.GroupKey{o.group},
	})
	p.accounts = account.New(account.Env{
		Store: db, Ledger: p.ledger, Journal: p.journal, Units: p.programme, Clock: clock, NewID: newID,
		Recall: func(ctx context.Context, account uuid.UUID) (int, error) { return p.rights.Recall(ctx, account) },
	})
	p.rights = allowance.New(allowance.Options{
		Store: db, Ledger: p.ledger, Journal: p.journal, Feed: p.feed, Policies: p.programme, Clock: clock, NewID: newID, HQ: o.id,
		HQEpoch: o.epoch, Signer: o.statement, Keys: o.keys,
	})
	p.pools = identity.New(identity.Options{
		Store: db, Programme: p.programme, Ledger: p.ledger, Feed: p.feed, Clock: clock, NewID: newID, Keys: o.keys,
	})
	p.claims = claim.New(claim.Options{Store: db, Ledger: p.ledger, Policies: p.programme, Clock: clock})
	p.ledger.SetBeside(p.pools, p.claims)
	o.processes[i] = p
}

// round does once what a process does by itself, about rights if it gives any.
func (p *process) round(ctx context.Context, rights bool) error {
	if err := p.pools.Round(ctx); err != nil {
		return err
	}
	if err := p.claims.Round(ctx); err != nil || !rights {
		return err
	}
	return p.rights.Round(ctx)
}

// any returns a process that is up: where a person's click goes.
func (o *office) any() *process { return o.at(0) }

// at returns process i, started again if it had died.
func (o *office) at(i int) *process {
	i %= len(o.processes)
	if o.processes[i].db.down {
		o.start(i)
	}
	return o.processes[i]
}

// backUp keeps a copy of the database.
func (o *office) backUp(ctx context.Context) error {
	file := filepath.Join(o.w.dir, "backup.db")
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return o.db.Backup(ctx, file)
}

// restore begins a new epoch on the last backup, as `hq restore` does.
func (o *office) restore(ctx context.Context) error {
	raw, err := os.ReadFile(filepath.Join(o.w.dir, "backup.db"))
	if err != nil {
		return err
	}
	if err := o.close(); err != nil {
		return err
	}
	o.file = filepath.Join(o.w.dir, fmt.Sprintf("hq%d.db", o.epoch))
	if err := os.WriteFile(o.file, raw, 0o600); err != nil {
		return err
	}
	now := uint64(o.w.now.Unix())
	o.epoch = max(o.epoch+1, uint32(now))
	o.keys.Version = max(o.keys.Version+1, now)
	if err := o.open(ctx); err != nil {
		return err
	}
	p := o.any()
	err = o.db.InTx(ctx, func(ctx context.Context) error {
		if err := o.db.Forget(ctx); err != nil {
			return err
		}
		if err := p.programme.PublishKeys(ctx, o.keys); err != nil {
			return err
		}
		return p.programme.Renew(ctx, now)
	})
	if err != nil {
		return err
	}
	return p.rights.BeginRestore(ctx)
}

// trueClock is HQ's: it is right.
type trueClock struct{ w *world }

func (c trueClock) Now() time.Time { return c.w.now }
