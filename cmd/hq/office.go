package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/branding"
	"github.com/tallystick/tallystick/server/card"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/cashier"
	"github.com/tallystick/tallystick/server/claim"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/expiry"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/googlewallet"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/identity"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/liability"
	"github.com/tallystick/tallystick/server/mail"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/reconcile"
	"github.com/tallystick/tallystick/server/rounds"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/server/tier"
	"github.com/tallystick/tallystick/server/webshop"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/wallet/apple"
)

// maxUnderWay is how many entries may be taken in at once before terminals are
// told to come again: eight full batches.
const maxUnderWay = 4000

// tuning are the settings of serve that the parts take; zero fields take defaults.
type tuning struct {
	codeLife, sessionLife, retain time.Duration
	wake                          func() // entries were taken in
	published                     func() // the feed moved
	shardsPerTx, shopLanes        int
	liable                        map[loyalty.LossCause]string
}

// office is all parts of one HQ, put together.
type office struct {
	db         *store.DB
	secrets    secrets
	keys       keys.Set
	statement  keys.Signer
	feed       *feed.Feed
	journal    *hqjournal.Journal
	ledger     *ledger.Ledger
	ingest     *ingest.Service
	fleet      *fleet.Fleet
	cashiers   *cashier.Cashiers
	programme  *programme.Programme
	tiers      *tier.Service
	accounts   *account.Accounts
	shop       *webshop.Shop
	rights     *allowance.Service
	pools      *identity.Service
	claims     *claim.Service
	cases      *casework.Service
	lists      *console.Reader
	desk       *console.Desk
	days       *reconcile.Service
	storeDays  *storeday.Service
	liability  *liability.Service
	settlement *settlement.Service
	books      *posbooks.Service
	cards      *card.Cards
	mails      *mail.Outbox
	branding   *branding.Service
	passes     *pass.Service
	google     *googlewallet.Wallet // nil without an account
	expiry     *expiry.Watch
	// credentials sign Apple passes; nil for none.
	credentials *apple.Credentials
	people      *people.Directory
	answers     *people.Answers
	clock       clock.Clock
}

// database returns the address of the database.
func (c *cli) database() string {
	if c.DB != "" {
		return c.DB
	}
	return "sqlite:" + filepath.Join(c.Data, "hq.db")
}

// liable is the table of who answers for what.
func (c *cli) liable() (map[loyalty.LossCause]string, error) {
	out := make(map[loyalty.LossCause]string, len(c.Liable))
	for cause, who := range c.Liable {
		if _, known := ledger.DefaultLiable[loyalty.LossCause(cause)]; !known || who != "programme" && who != "store" && who != "terminal" {
			return nil, fmt.Errorf("--liable: %s=%s: name a known cause, and programme, store or terminal", cause, who)
		}
		out[loyalty.LossCause(cause)] = who
	}
	return out, nil
}

// options are the limits of the database handle.
func (c *cli) options() store.Options { return store.Options{Readers: c.DBConnections} }

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// openOffice opens the HQ of the data directory. The caller closes its database.
func openOffice(ctx context.Context, c *cli, t tuning) (*office, error) {
	s, err := readSecrets(c.Data)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, c.database(), c.options())
	if err != nil {
		return nil, err
	}
	spread, err := db.Distributed(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if spread {
		t.shardsPerTx = 1 // no transaction over several nodes on the sale path
	}
	if t.liable, err = c.liable(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	o, err := assemble(db, s, t)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return o, nil
}

// assemble puts the parts together over a database. It starts nothing.
func assemble(db *store.DB, s secrets, t tuning) (*office, error) {
	o := &office{db: db, secrets: s, keys: s.set(), clock: clock.System{}}
	var err error
	if o.statement, err = s.signer(keys.UseStatement, o.clock.Now()); err != nil {
		return nil, err
	}
	pass, err := s.signer(keys.UsePass, o.clock.Now())
	if err != nil {
		return nil, err
	}
	nonces, err := s.derive("nonces")
	if err != nil {
		return nil, err
	}
	o.feed = feed.New(db, s.HQ, s.Epoch)
	if s.FeedTies {
		o.feed.Narrow()
	}
	if t.published != nil {
		o.feed.OnPublish(t.published)
	}
	o.journal = hqjournal.New(db, o.feed, o.clock, s.HQ, s.Epoch, o.statement)
	o.ledger = ledger.New(ledger.Options{
		Store: db, Journal: o.journal, Feed: o.feed, Rules: programme.PublishedRules{Keeper: db}, Clock: o.clock, HQ: s.HQ, Ties: s.FeedTies,
		ShardsPerTx: t.shardsPerTx, Liable: t.liable,
	})
	o.fleet = fleet.New(fleet.Env{
		Keeper: db, Journal: o.journal, Clock: o.clock, Random: rand.Reader, NewID: newID,
		HQ: s.HQ, HQEpoch: s.Epoch, Keys: o.keys, Statement: o.statement, NonceKey: nonces, CodeLife: t.codeLife,
		Bound: func(ctx context.Context, terminal uuid.UUID) ([]entry.LostBound, error) {
			return o.rights.Bound(ctx, terminal)
		},
	})
	o.ingest = ingest.New(ingest.Options{
		Store: db, Fleet: o.fleet, Journal: o.journal, HQ: s.HQ, HQEpoch: s.Epoch, Signer: o.statement,
		Limiter: ingest.NewLimiter(maxUnderWay), Retain: t.retain, Wake: t.wake,
	})
	o.programme = programme.New(programme.Env{
		Keeper: db, Journal: o.journal, Ledger: o.ledger, Clock: o.clock, Random: rand.Reader, NewID: newID,
		HQ: s.HQ, PassKey: pass, Groups: s.Groups,
	})
	o.tiers = tier.New(db, o.programme, o.clock)
	o.cashiers = cashier.NewCashiers(cashier.Env{
		Keeper: db, Journal: o.journal, Policies: o.programme, Clock: o.clock, Random: rand.Reader, NewID: newID,
		Stores: func(ctx context.Context, id uuid.UUID) error { _, err := o.fleet.Store(ctx, id); return err },
	})
	o.ledger.SetWatch(o.cashiers)
	o.accounts = account.New(account.Env{
		Store: db, Ledger: o.ledger, Journal: o.journal, Units: o.programme, Clock: o.clock, NewID: newID, Wake: t.wake,
		Recall: func(ctx context.Context, account uuid.UUID) (int, error) { return o.rights.Recall(ctx, account) },
	})
	o.rights = o.lookAfterRights(nil, nil)
	o.besideLedger(nil, nil)
	shopKeys, err := s.derive("web shop")
	if err != nil {
		return nil, err
	}
	o.shop = webshop.New(webshop.Env{
		Store: db, Fleet: o.fleet, Programme: o.programme, Ledger: o.ledger, Ingest: o.ingest, Clock: o.clock, NewID: newID,
		HQ: s.HQ, Secret: shopKeys, Keys: o.keys, Version: version, Lanes: t.shopLanes,
	})
	o.books = posbooks.New(posbooks.Env{Store: db, Fleet: o.fleet, Clock: o.clock, NewID: newID, Ends: o.dayEnds, Virtual: webshop.IsLane})
	o.cases = casework.New(casework.Env{Store: db, Journal: o.journal, Ledger: o.ledger, People: db, Clock: o.clock, NewID: newID})
	o.lists, o.desk = console.NewReader(db, o.clock, fleet.OnlineWithin, s.HQ), console.NewDesk(db, o.clock, fleet.OnlineWithin)
	return o, o.assemblePeople(t)
}

func (o *office) assemblePeople(t tuning) error {
	token, err := o.secrets.sessionKey()
	if err != nil {
		return err
	}
	seal, err := o.secrets.derive("answers")
	if err != nil {
		return err
	}
	o.people, err = people.New(people.Env{
		Store: o.db, Clock: o.clock, Random: rand.Reader, NewID: newID,
		Issuer: o.secrets.HQ.String(), TokenKey: token, SessionLife: t.sessionLife,
	})
	if err != nil {
		return err
	}
	o.answers, err = people.NewAnswers(o.db, o.clock, rand.Reader, seal)
	return err
}

// dayEnds is by how much the business day of a store ends after midnight, or before it.
func (o *office) dayEnds(ctx context.Context, store uuid.UUID) (time.Duration, error) {
	rules, err := o.cashiers.TillRules(ctx, store)
	return time.Duration(rules.DayEnds) * time.Minute, err
}

// count brings the console's figures up to date.
func (o *office) count(ctx context.Context) error {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = console.Count(ctx, o.db); err != nil {
			return err
		}
	}
	return nil
}

// lookAfterRights returns the service of rights. It is not started.
func (o *office) lookAfterRights(mine rounds.Turn, log *slog.Logger) *allowance.Service {
	return allowance.New(allowance.Options{
		Store: o.db, Ledger: o.ledger, Journal: o.journal, Feed: o.feed, Policies: o.programme, Clock: o.clock, NewID: newID,
		HQ: o.secrets.HQ, HQEpoch: o.secrets.Epoch, Signer: o.statement, Keys: o.keys, Log: log, Turn: mine,
	})
}

// besideLedger makes the services of identities issued ahead, of receipts and of days. They take
// in what stands beside the ledger at once; their rounds are not started.
func (o *office) besideLedger(mine rounds.Turn, log *slog.Logger) {
	o.pools = identity.New(identity.Options{
		Store: o.db, Programme: o.programme, Ledger: o.ledger, Feed: o.feed, Clock: o.clock, NewID: newID, Keys: o.keys, Log: log, Turn: mine,
	})
	o.claims = claim.New(claim.Options{Store: o.db, Ledger: o.ledger, Policies: o.programme, Clock: o.clock, Log: log, Turn: mine})
	o.storeDays = storeday.New(storeday.Env{
		Store: o.db, Fleet: o.fleet, Journal: o.journal, Clock: o.clock, HQ: o.secrets.HQ, HQEpoch: o.secrets.Epoch, Signer: o.statement,
		Virtual: webshop.IsLane,
	})
	o.settlement = settlement.New(settlement.Env{Store: o.db, Journal: o.journal, Clock: o.clock, NewID: newID, Epoch: o.secrets.Epoch, Places: settlement.PlacesOf(o.fleet)})
	o.days = reconcile.New(o.db, o.storeDays.Closed)
	o.liability = liability.New(liability.Env{Store: o.db, Journal: o.journal, Clock: o.clock, Prices: clearingPrices{o.settlement}})
	o.ledger.SetBeside(o.pools, o.claims, o.days)
}

// close closes the database and keeps the first error.
func (o *office) close(err error) error {
	if cerr := o.db.Close(); err == nil && cerr != nil {
		return fmt.Errorf("close database: %w", cerr)
	}
	return err
}
