package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/api"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/evidence"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/rounds"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/server/webshop"
)

type serveCommand struct {
	Listen      string        `help:"Address to serve on; port 0 takes a free one." default:":8080"`
	CodeLife    time.Duration `help:"How long an enrolment code works." default:"10m"`
	SessionLife time.Duration `help:"How long a sign-in lasts." default:"12h"`
	Retain      time.Duration `help:"How long terminals keep what HQ has acknowledged: the age of the oldest backup that may be restored." default:"168h"`
	Grace       time.Duration `help:"How long open requests may take to finish when stopping." default:"10s"`
	ShopLanes   int           `name:"web-shop-lanes" help:"How many shoppers of a store's web shop may be served at once, each by a terminal of its own; it may be changed later." default:"8"`
	Proxies     []string      `name:"trusted-proxies" help:"Networks of the proxies in front of HQ, as in 10.0.0.0/8,192.0.2.7. Only they are believed about where a request came from (X-Forwarded-For)."`
	Card        cardFlags     `embed:""`
	Wallet      walletFlags   `embed:""`
}

// Run serves until it is told to stop.
func (c serveCommand) Run(ctx context.Context, s *surroundings) (err error) {
	if c.ShopLanes < 1 || c.ShopLanes > webshop.MostLanes {
		return fmt.Errorf("--web-shop-lanes is %d: it must be 1 to %d", c.ShopLanes, webshop.MostLanes)
	}
	proxies, err := api.ReadProxies(c.Proxies)
	if err != nil {
		return fmt.Errorf("read --trusted-proxies: %w", err)
	}
	growHeap()
	log := slog.New(slog.NewJSONHandler(s.stderr, nil))
	var applier *ledger.Service
	var settler *account.Service
	var others *bell
	o, err := openMigrated(ctx, s.cli, tuning{
		codeLife: c.CodeLife, sessionLife: c.SessionLife, retain: c.Retain, shopLanes: c.ShopLanes,
		wake:      func() { applier.Wake(); settler.Wake(); others.ring(store.TopicEntries) },
		published: func() { others.ring(store.TopicFeed) },
	})
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	mine, release := o.elected()
	applier, others = ledger.NewService(o.ledger, log, mine), newBell(o.db)
	settler = account.NewService(o.accounts, log, mine)
	if err := c.prepare(ctx, s, o, mine, log); err != nil {
		return err
	}
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	watch := console.NewWatch(o.db, func(err error) { log.Error("it could not be seen what changed; it is tried again", "error", err) })
	server := o.server(watch, proxies, c.Card.address(), log)
	// The line that programs wait for: requests are taken from here on.
	ready := map[string]any{"ready": true, "address": listener.Addr().String(), "hq": o.secrets.HQ}
	if err := json.NewEncoder(s.stdout).Encode(ready); err != nil {
		return errors.Join(fmt.Errorf("say ready: %w", err), listener.Close())
	}
	defer others.start(func(topic store.Topic) {
		if topic == store.TopicFeed {
			o.feed.Wake()
			return
		}
		applier.Wake()
		settler.Wake()
	}, log)()
	loops := []loop{applier, settler, o.rights, o.pools, o.claims, watch, o.mails, o.expiry, o.passes}
	loops = append(loops, o.rounds(mine, log)...)
	if o.google != nil {
		loops = append(loops, o.google)
	}
	stop := running(loops...)
	err = c.until(ctx, o, server, listener, mine, log)
	stop()
	return errors.Join(err, giveBack(ctx, release))
}

// prepare makes the parts that the flags name, and tells terminals what they must know
// before any of them asks.
func (c serveCommand) prepare(ctx context.Context, s *surroundings, o *office, mine rounds.Turn, log *slog.Logger) error {
	o.rights = o.lookAfterRights(mine, log)
	o.besideLedger(mine, log)
	if err := o.walletSide(s, c.Wallet, c.Card, mine, log); err != nil {
		return err
	}
	if err := o.shopperSide(c.Card, mine, log); err != nil {
		return err
	}
	o.expiry = o.watchExpiry(c.Wallet, c.Card, mine, log)
	if err := o.rights.BeginRestore(ctx); err != nil {
		return err
	}
	if err := o.programme.PublishKeys(ctx, o.keys); err != nil {
		return err
	}
	return o.programme.PublishPublic(ctx, c.Card.public())
}

// server puts the API over all parts. It listens nowhere yet.
func (o *office) server(watch *console.Watch, proxies api.Proxies, address string, log *slog.Logger) *api.Server {
	prover := console.NewProver(o.db, o.db, console.Office{HQ: o.secrets.HQ, Keys: o.keys})
	options := api.Options{
		People: o.people, Answers: o.answers, Fleet: o.fleet, Cashiers: o.cashiers, Programme: o.programme, Accounts: o.accounts, Shop: o.shop,
		Claims: o.claims, Days: o.days, StoreDays: o.storeDays, Books: o.books, Settlement: o.settlement, Cards: o.cards, Branding: o.branding, Passes: o.passes, Tiers: o.tiers, Liability: o.liability, SelfMade: o.selfMade(),
		Mails: o.mails, Expiry: o.expiry, Ledger: o.ledger, Found: o.db, Ingest: o.ingest, Feed: o.feed, Rights: o.rights,
		Cases: o.cases, Lists: o.lists, Desk: o.desk, Proofs: prover, Evidence: evidence.New(o.db, prover), Watch: watch,
		Applied: o.db.AppliedSeq, Clock: o.clock, HQ: o.secrets.HQ, HQEpoch: o.secrets.Epoch, Keys: o.keys, Statement: o.statement,
		Version: version, Ping: o.db.Ping, Lost: store.Lost, Proxies: proxies, Address: address, Log: log,
	}
	if o.google != nil {
		options.Google = o.google
	}
	return api.New(options)
}

// loop is what runs in the background between Start and Stop.
type loop interface {
	Start()
	Stop()
}

// running starts loops and returns what stops them, the last one first.
func running(loops ...loop) (stop func()) {
	for _, l := range loops {
		l.Start()
	}
	return func() {
		for _, l := range slices.Backward(loops) {
			l.Stop()
		}
	}
}

// giveBack ends this process's turn, so that no other waits for the end of its term.
func giveBack(ctx context.Context, release func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSigning)
	defer cancel()
	return release(ctx)
}

// until serves and signs until ctx ends or one of both fails. Requests end before
// the signing, so that the last checkpoint covers what they did.
func (c serveCommand) until(ctx context.Context, o *office, server *api.Server, listener net.Listener, mine rounds.Turn, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	signing, stopSigning := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSigning()
	var signer, serving sync.WaitGroup
	var signed, served error
	signer.Go(func() {
		defer stop()
		signed = o.keepSigning(signing, mine, log)
	})
	serving.Go(func() {
		defer stop()
		served = server.Serve(listener)
	})
	<-ctx.Done()
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Grace)
	defer cancel()
	halted := server.Shutdown(within)
	serving.Wait()
	stopSigning()
	signer.Wait()
	return errors.Join(served, halted, signed)
}

// listen opens the port and says in words why it cannot.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: another program uses this port; choose another with --listen", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen on %s: this user may not use this port; choose one above 1023 with --listen", address)
	case err != nil:
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}
