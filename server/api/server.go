package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/accept"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/branding"
	"github.com/tallystick/tallystick/server/card"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/cashier"
	"github.com/tallystick/tallystick/server/claim"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/evidence"
	"github.com/tallystick/tallystick/server/expiry"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/liability"
	"github.com/tallystick/tallystick/server/mail"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/reconcile"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/server/tier"
	"github.com/tallystick/tallystick/server/webshop"
	"github.com/tallystick/tallystick/sync/wire"
)

// basePath is where the document's paths begin.
const basePath = "/api/v1"

// Limits of a request beside its body.
const (
	maxHeaders = 16 << 10 // a proof and a cursor in the address
	deadline   = 15 * time.Second
	// maxConnections of one process: maxPolls and what else may be open.
	maxConnections = 16_384
)

// document is openapi.yaml as JSON; a test holds the two together.
//
//go:embed openapi.json
var document []byte

// Ledger is what the API shows of the ledger.
type Ledger interface {
	Account(ctx context.Context, account uuid.UUID) (ledger.Account, error)
	History(ctx context.Context, account uuid.UUID, cursor string, limit int) ([]ledger.Posting, string, error)
	Entries(ctx context.Context, f ledger.EntryFilter, cursor string, limit int) ([]ledger.Entry, string, error)
	Exceptions(ctx context.Context, f ledger.ExceptionFilter, cursor string, limit int) ([]ledger.Exception, string, error)
	// Describe decodes an entry for people.
	Describe(e ledger.Entry) (json.RawMessage, error)
	TrialBalance(ctx context.Context) ([]ledger.Balance, error)
	Status(ctx context.Context) (ledger.Status, error)
	// Losses sums what was redeemed and was not there.
	Losses(ctx context.Context) ([]ledger.Loss, error)
	// Tie has a store told of a member, or answers problem.NotFound.
	Tie(ctx context.Context, member, store uuid.UUID) error
}

// Ingest takes journals in.
type Ingest interface {
	Hello(ctx context.Context, t ingest.Terminal, h wire.Hello, now time.Time) (wire.Welcome, error)
	Push(ctx context.Context, t ingest.Terminal, b wire.Batch, now time.Time) ([]byte, error)
}

// Exceptions finds one exception, or answers problem.NotFound.
type Exceptions interface {
	Exception(ctx context.Context, id uuid.UUID) (ledger.Exception, error)
}

// Feed is the change feed of a store.
type Feed interface {
	Wait(ctx context.Context, store uuid.UUID, from string, max int, d time.Duration) (wire.FeedPage, error)
}

// Options are what the server stands on.
type Options struct {
	People    *people.Directory
	Answers   *people.Answers
	Fleet     *fleet.Fleet
	Cashiers  *cashier.Cashiers
	Programme *programme.Programme
	Accounts  *account.Accounts
	Shop      *webshop.Shop
	Claims    *claim.Service
	Days      *reconcile.Service
	StoreDays *storeday.Service
	// Settlement is what stores, franchisees and the programme owe each other.
	Settlement *settlement.Service
	Books      *posbooks.Service
	Cards      *card.Cards
	Branding   *branding.Service
	Mails      *mail.Outbox
	Passes     *pass.Service
	Tiers      *tier.Service
	Liability  *liability.Service
	Google     GoogleWallet // nil without an account
	// SelfMade says that Apple passes are signed by a self-made authority.
	SelfMade bool
	Ledger   Ledger
	Found    Exceptions
	Ingest   Ingest
	Feed     Feed
	Rights   Rights
	Cases    *casework.Service
	Lists    *console.Reader
	Desk     *console.Desk
	Proofs   *console.Prover
	Evidence *evidence.Service
	// Watch tells pages what changed; it is let go when the server stops.
	Watch     *console.Watch
	Clock     clock.Clock
	HQ        uuid.UUID
	HQEpoch   uint32
	Keys      keys.Set
	Statement keys.Signer
	Version   string
	// Applied is through which entry of an epoch of a terminal HQ has applied.
	Applied func(ctx context.Context, terminal uuid.UUID, epoch uint32) (uint64, error)
	// Ping reports whether the database answers.
	Ping func(ctx context.Context) error
	// Expiry knows when certificates of the wallets end; nil knows none.
	Expiry *expiry.Watch
	// Lost reports whether an error means that the database is away, which is
	// answered as problem.Unavailable; nil knows none.
	Lost func(err error) bool
	// MaxPolls is how many terminals may wait for the feed at once; zero is 10,000.
	MaxPolls int
	// RequestTime bounds one request, beside what a long poll waits; zero is 15 s.
	RequestTime time.Duration
	// Address is where anybody reaches this HQ, without a slash at its end: it is in the codes
	// on papers.
	Address string
	// Proxies are believed about where a request came from; see Proxies.
	Proxies Proxies
	// Log takes what is HQ's own fault; nil throws it away.
	Log *slog.Logger
}

// Server is HQ over HTTP.
type Server struct {
	o       Options
	app     *fiber.App
	metrics *metrics
	// stopping ends long polls; it is closed before the app is shut down, because
	// the app waits for open requests.
	stopping context.Context
	stop     context.CancelFunc
	polls    *polls
	rooms    *rooms
	guesses  guesses
	visits   visits
	joins    people.Throttle

	mu       sync.Mutex
	listener *accept.Listener // nil before Serve
}

// New returns a server that listens nowhere yet.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.MaxPolls <= 0 {
		o.MaxPolls = maxPolls
	}
	if o.RequestTime <= 0 {
		o.RequestTime = deadline
	}
	if o.Lost == nil {
		o.Lost = func(error) bool { return false }
	}
	s := &Server{o: o, metrics: newMetrics(o), polls: newPolls(o.MaxPolls), rooms: newRooms()}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.app = fiber.New(fiber.Config{
		// Without Immutable, strings of one request change when the next arrives.
		Immutable:             true,
		CaseSensitive:         true,
		StrictRouting:         true,
		DisableStartupMessage: true,
		BodyLimit:             wire.MaxBody,
		// takeBody reads the body, so that one that is too large still gets an answer.
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		Concurrency:                  maxConnections,
		ReadBufferSize:               maxHeaders,
		ReadTimeout:                  30 * time.Second,
		WriteTimeout:                 60 * time.Second,
		IdleTimeout:                  2 * time.Minute,
		JSONDecoder:                  decodeStrict,
		ErrorHandler:                 failer(o.Log, o.Lost),
	})
	s.route()
	return s
}

func (s *Server) route() {
	s.app.Use(recover.New(recover.Config{
		EnableStackTrace: true,
		StackTraceHandler: func(c *fiber.Ctx, cause any) {
			s.o.Log.Error("handler panicked", "method", c.Method(), "path", c.Path(), "cause", cause)
		},
	}))
	s.app.Use(s.metrics.observe, headers, s.limitTime, s.takeBody)
	s.routeOps()
	s.routeSync()
	s.routeApple()
	s.routeGoogle()
	s.routePages()
	s.routePictures()
	s.routePapers()
	s.app.Get(basePath+"/openapi.json", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(document)
	})
	group := s.app.Group(basePath, s.authenticate, needKey, plainJSON)
	RegisterHandlers(group, NewStrictHandler(handlers{o: s.o, files: make(chan struct{}, filesAtOnce), stopping: s.stopping}, []StrictMiddlewareFunc{s.once, authorise, bodiless}))
}

// headers are for the case that somebody opens an answer in a browser.
func headers(c *fiber.Ctx) error {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Next()
}

// limitTime gives each request a deadline, since a client that goes away is never
// noticed. Long polls set their own.
func (s *Server) limitTime(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.o.RequestTime)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

// Serve answers on a listener until Shutdown, which may come first.
func (s *Server) Serve(l net.Listener) error {
	wrapped := accept.Wrap(l)
	s.mu.Lock()
	s.listener = wrapped
	stopped := s.stopping.Err() != nil
	s.mu.Unlock()
	if stopped {
		return wrapped.Close()
	}
	return s.app.Listener(wrapped)
}

// Waiting returns how many long polls are open.
func (s *Server) Waiting() int { return s.polls.count() }

// Shutdown ends long polls, closes the listener and lets other requests finish.
// Connections without a request are closed soon, all others when ctx ends; it is an
// error only when a handler goes on after that. It may be called more than once.
func (s *Server) Shutdown(ctx context.Context) error {
	if s.o.Watch != nil {
		s.o.Watch.LetGo()
	}
	s.mu.Lock()
	s.stop()
	listener := s.listener
	s.mu.Unlock()
	if listener == nil {
		return nil
	}
	return listener.Drain(ctx, s.app.ShutdownWithContext)
}
