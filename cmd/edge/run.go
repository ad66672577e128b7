package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/api"
	"github.com/tallystick/tallystick/edge/cache"
	"github.com/tallystick/tallystick/edge/lan"
	"github.com/tallystick/tallystick/edge/print"
	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/web"
	"github.com/tallystick/tallystick/sync/journal"
)

type runCommand struct {
	Listen       string        `help:"Address of the local API; port 0 takes a free one." default:"127.0.0.1:7070"`
	AllowListen  bool          `help:"Accept a --listen address that other machines can reach. The API has no TLS."`
	Sandbox      bool          `help:"Serve fixed codes from a temporary directory, without HQ and enrolment, for the makers of till software."`
	LogLevel     string        `help:"debug, info, warn or error." default:"info"`
	BackoffLimit time.Duration `help:"Longest wait between tries to reach HQ." default:"60s"`
	PollWait     time.Duration `help:"How long HQ may hold a question for news open; at most 30s." default:"25s"`
	MemoryLimit  int64         `help:"Soft limit of the heap in MiB." default:"48"`
	LAN          string        `name:"lan" help:"Address for the store's other lanes, as in :7071. Empty: this lane stands alone." placeholder:"ADDRESS"`
	Lanes        []string      `name:"lane" help:"Address of another lane, host:port; may be given more than once." placeholder:"ADDRESS"`
	Paper        printerFlags  `embed:""`
	DayEndsAt    string        `help:"Override for this terminal alone of when the business date ends, HH:MM after midnight (04:00) or before it (-02:00). Leave it out: the store's rules at head office say it for all lanes." placeholder:"HH:MM"`
	Discover     bool          `help:"Find the other lanes by mDNS too; only with --lan." default:"true" negatable:""`
}

// callsTimeout bounds how long calls under way may take at a stop, stopTimeout how
// long the API may take to end in all.
const (
	callsTimeout = 3 * time.Second
	stopTimeout  = 5 * time.Second
)

// Run serves until ctx ends.
func (c runCommand) Run(ctx context.Context, p *program, io std) error {
	log, err := newLog(io.err, c.LogLevel)
	if err != nil {
		return err
	}
	if err := checkListen(c.Listen, c.AllowListen); err != nil {
		return err
	}
	debug.SetMemoryLimit(c.MemoryLimit << 20)
	debug.SetGCPercent(50)
	data := p.Data
	var box *sandbox
	if c.Sandbox {
		if data, err = os.MkdirTemp("", "tallystick-sandbox-"); err != nil {
			return fmt.Errorf("make sandbox directory: %w", err)
		}
		defer func() { _ = os.RemoveAll(data) }() // a temporary directory; nothing hangs on it
		if box, err = newSandbox(data, clock.System{}.Now()); err != nil {
			return err
		}
	}
	a, err := openAgent(ctx, data, c, log, box)
	if err != nil {
		return err
	}
	return errors.Join(a.serve(ctx, io), a.close())
}

// agent is the parts of a running terminal.
type agent struct {
	id      identity
	data    string
	cfg     runCommand
	log     *slog.Logger
	box     *sandbox
	journal *journal.Journal
	cache   *cache.Cache
	till    *till.Till
	feed    *follower
	server  *api.Server
	syncer  *syncer.Service // nil in a sandbox
	print   *print.Service  // nil without a printer
	lan     *lan.Node       // nil in a sandbox and for a lane that stands alone
}

// openAgent opens what lies on the disk, in the order journal, cache, till. On an
// error what was opened is closed again.
func openAgent(ctx context.Context, data string, cfg runCommand, log *slog.Logger, box *sandbox) (_ *agent, err error) {
	a := &agent{data: data, cfg: cfg, log: log, box: box}
	if a.id, err = readIdentity(data); err != nil {
		return nil, err
	}
	signer, err := readSigner(filepath.Join(data, a.id.KeyFile))
	if err != nil {
		return nil, err
	}
	token, err := readToken(data)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if err = a.openStores(ctx, signer); err != nil {
		return nil, err
	}
	a.feed = newFollower(a.till, data, a.id, log)
	if box != nil {
		if err = box.fill(ctx, a.feed, clock.System{}.Now()); err != nil {
			return nil, err
		}
	}
	served, err := a.serverConfig(token)
	if err != nil {
		return nil, err
	}
	a.server = api.New(served)
	if box == nil {
		if err = a.openLAN(signer); err != nil {
			return nil, err
		}
		a.syncer = a.newSyncer(signer)
		a.connect()
	}
	return a, nil
}

func (a *agent) openStores(ctx context.Context, signer keys.Signer) error {
	var err error
	if a.journal, err = journal.Open(ctx, filepath.Join(a.data, a.id.JournalDir), a.id.writer()); err != nil {
		return journalProblem(err)
	}
	if a.journal.Head().Seq == 0 {
		// The enrolment wrote the first entry. To begin again would be to roll back.
		return problem.Newf(problem.JournalDamaged, "the journal %s is empty although the terminal is enrolled", a.id.JournalDir)
	}
	store, opened, err := cache.Open(ctx, filepath.Join(a.data, cacheDir))
	if err != nil {
		return fmt.Errorf("open cache: %w", err)
	}
	a.cache = store
	if opened.Damage != nil {
		a.log.Warn("cache was damaged and is built again", "damage", opened.Damage, "kept_at", opened.Quarantined)
	}
	ends, err := dayEnds(a.cfg.DayEndsAt, a.log)
	if err != nil {
		return err
	}
	a.till, err = till.New(till.Config{
		DayEnds: ends,
		Writer:  a.id.writer(), Store: a.id.Store, HQ: a.id.HQ, Journal: a.journal, State: a.cache,
		Clock: clock.System{}, Monotonic: monotonic(), NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		FreeDisk: a.freeDisk, Keys: a.id.Keys, PublicKey: signer.Public.Key, Signer: signer, Software: software(), EnrolledAt: a.id.EnrolledAt,
		// A first start finds no cache either; only then the journal has just begun.
		CacheRebuilt: opened.Fresh && a.journal.Head().Seq > 1,
	})
	if err != nil {
		return fmt.Errorf("make till: %w", err)
	}
	recovery, err := a.till.Recover(ctx)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	a.log.Info("recovered", "head", a.journal.Head(), "replayed", recovery.Replayed, "cache_rebuilt", recovery.Rebuilt)
	return nil
}

func (a *agent) freeDisk() (int64, error) { return freeDisk(a.data) }

func (a *agent) serverConfig(token string) (api.Config, error) {
	host, _, _ := net.SplitHostPort(a.cfg.Listen) // checked before
	page, err := web.Open(web.Till)
	switch {
	case errors.Is(err, web.ErrNotBuilt):
		a.log.Warn("this binary has no till page", "why", err)
	case err != nil:
		return api.Config{}, err
	}
	receipts, err := a.openPrinter()
	if err != nil {
		return api.Config{}, err
	}
	cfg := api.Config{
		Till: a.till, Clock: clock.System{}, Log: a.log, Token: token, Software: software(),
		Link: a.link, Names: a.feed.names, FreeDisk: a.freeDisk, Committed: func() {}, Page: page, Receipts: receipts,
	}
	if a.cfg.AllowListen {
		cfg.Hosts = []string{host}
	}
	if a.box != nil {
		cfg.Sandbox = a.box.codes()
	} else {
		cfg.Committed = func() { a.syncer.Wake() }
		cfg.CardPage = strings.TrimSuffix(a.id.Address, "/") + "/card"
	}
	return cfg, nil
}

// link says in the words of the status how the sync stands.
func (a *agent) link() api.Link {
	if a.syncer == nil {
		return api.Link{Sync: api.Sandbox}
	}
	state := a.syncer.State()
	return api.Link{Sync: api.StatusSync(state.Mode), Code: string(state.Code)}
}

func (a *agent) newSyncer(signer keys.Signer) *syncer.Service {
	return syncer.New(syncer.Config{
		Address: a.id.Address, HQ: a.id.HQ, Store: a.id.Store, Software: software(), Signer: signer,
		HTTP:  &http.Client{Transport: a.toHQ()},
		Clock: clock.System{}, Random: rand.Reader, Journal: a.journal, Till: a.feed, Log: a.log,
		Changed: a.feed.changed, EnrolledAt: a.id.EnrolledAt,
		Kept: a.feed, Past: func(ctx context.Context) ([]syncer.Past, error) { return pastEpochs(ctx, a.data, a.id) },
		Timing: syncer.Timing{BackoffLimit: a.cfg.BackoffLimit, PollWait: a.cfg.PollWait},
	})
}

// serve runs until ctx ends or something can no longer be trusted.
func (a *agent) serve(ctx context.Context, io std) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	served := make(chan error, 1)
	if a.lan != nil {
		if err := a.lan.Start(ctx); err != nil {
			return errors.Join(fmt.Errorf("join the store's lanes: %w", err), listener.Close())
		}
	}
	if a.syncer != nil {
		a.syncer.Start(ctx)
		a.awaitWitness(ctx)
	}
	if err := a.tend(ctx); err != nil {
		if a.syncer != nil {
			a.syncer.Stop()
		}
		return errors.Join(err, listener.Close())
	}
	go func() { served <- a.server.Serve(listener) }()
	if err := a.ready(io, listener.Addr().String()); err != nil {
		return errors.Join(err, a.stop(served))
	}
	err = a.watch(ctx, served)
	return errors.Join(err, a.stop(served))
}

// greeting is how long a start waits for the word of HQ and of the other lanes on this
// terminal's journal.
const greeting = time.Second

// awaitWitness lets HQ and the configured lanes say, when they are in reach, whether they
// know this journal further than it goes: nothing should be redeemed on one that was
// rolled back or copied, nor added to it.
func (a *agent) awaitWitness(ctx context.Context) {
	waits := []<-chan struct{}{a.syncer.Greeted()}
	if a.lan != nil {
		waits = append(waits, a.lan.Greeted())
	}
	limit := time.NewTimer(greeting)
	defer limit.Stop()
	for _, said := range waits {
		select {
		case <-said:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// ready prints the one line that a supervisor or test waits for.
func (a *agent) ready(io std, address string) error {
	line := map[string]any{
		"ready": true, "address": "http://" + address, "data": a.data, "token_file": filepath.Join(a.data, tokenFile),
		"terminal": a.id.Terminal, "sandbox": a.box != nil,
	}
	if a.box != nil {
		line["codes"] = a.box.codes()
	}
	return printJSON(io.out, line)
}

// watch waits for the end, and looks at the clock and for news meanwhile.
func (a *agent) watch(ctx context.Context, served chan error) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-served:
			served <- err
			return fmt.Errorf("the local API ended: %w", err)
		case <-a.till.Done():
			return fmt.Errorf("the till cannot go on: %w", a.till.Err())
		case <-a.journal.Done():
			return journalProblem(a.journal.Err())
		case <-a.cache.Done():
			return fmt.Errorf("the cache has failed: %w", a.cache.Err())
		case <-a.feed.news:
			a.tellNews(ctx)
			if err := a.tend(ctx); err != nil { // HQ may want rights back
				return err
			}
		case <-tick.C:
			a.feed.keep()
			if err := a.tend(ctx); err != nil {
				return err
			}
		}
	}
}

// tend lets the till do what is due between sales, and what it journalled go out.
func (a *agent) tend(ctx context.Context) error {
	before := a.journal.Head().Seq
	// At the end, and without disk space, it is left for later.
	if err := a.till.Tend(ctx); err != nil && ctx.Err() == nil && problem.CodeOf(err) != problem.DiskFull {
		return fmt.Errorf("tend the till: %w", err)
	}
	if a.syncer != nil && a.journal.Head().Seq != before {
		a.syncer.Wake()
	}
	return nil
}

// tellNews hands what the sync brought to the event streams.
func (a *agent) tellNews(ctx context.Context) {
	if err := a.server.StatusChanged(ctx); err != nil {
		a.log.Warn("status event not sent", "error", err)
	}
	acked, _ := a.till.Acked()
	a.server.Synced(acked.Seq, a.journal.Head().Seq-acked.Seq)
}

// stop ends serving and syncing, in this order, so that the last sales still go out
// of the API and nothing new comes in.
func (a *agent) stop(served chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	calls, cancelCalls := context.WithTimeout(ctx, callsTimeout)
	defer cancelCalls()
	err := a.server.Stop(calls)
	if a.syncer != nil {
		a.syncer.Stop()
	}
	if a.lan != nil {
		a.lan.Stop()
	}
	select {
	case serveErr := <-served:
		err = errors.Join(err, serveErr)
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	return err
}

// close closes what is open, the journal last.
func (a *agent) close() error {
	var errs []error
	if a.lan != nil {
		a.lan.Stop()
	}
	if a.feed != nil {
		a.feed.keep()
	}
	if a.print != nil {
		a.stopPrinter()
	}
	if a.till != nil {
		errs = append(errs, a.till.Close())
	}
	if a.cache != nil {
		errs = append(errs, a.cache.Close())
	}
	if a.journal != nil {
		errs = append(errs, a.journal.Close())
	}
	return errors.Join(errs...)
}
