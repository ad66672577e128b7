package api

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/accept"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/web"
	"github.com/tallystick/tallystick/sync/entry"
)

//go:embed openapi.json
var document []byte

// Deadlines and bounds of one call.
const (
	maxBody      = 64 << 10
	readTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	idleTimeout  = 2 * time.Minute
	callTimeout  = 10 * time.Second
)

// Till is the part of till.Till that is served.
type Till interface {
	Identify(ctx context.Context, rawCode string) (till.Scan, error)
	Quote(ctx context.Context, req till.Request) (till.Quote, error)
	Commit(ctx context.Context, c till.Commit) (till.Sale, error)
	Void(ctx context.Context, v till.Void) (till.Voided, error)
	Return(ctx context.Context, r till.Return) (till.Returned, error)
	Enrol(ctx context.Context, n till.NewMember) (till.EnrolledMember, error)
	Claim(ctx context.Context, c till.NewClaim) (till.ClaimedReceipt, error)
	Sale(ctx context.Context, id uuid.UUID) (till.Found, error)
	Sales(ctx context.Context, q till.SaleQuery) (list []till.Found, more bool, err error)
	Day(ctx context.Context) (till.Day, error)
	CloseDay(ctx context.Context, c till.NewDayClose) (till.ClosedDay, error)
	ClosedDays(ctx context.Context, before uint64, limit int) (list []till.ClosedDay, more bool, err error)
	ClosedDay(ctx context.Context, date entry.Date) (till.ClosedDay, error)
	Paper(ctx context.Context, seq uint64) (till.Paper, error)
	ReadReceipt(ctx context.Context, raw string) (till.ReadReceipt, error)
	SaleByKey(ctx context.Context, key string) (till.Found, error)
	Status(ctx context.Context) (till.Status, error)
	Desk
}

// Link is how the terminal stands with HQ, in the words of the status.
type Link struct {
	Sync StatusSync
	Code string // of the last failure; empty after a success
}

// Names are what people call the terminal and its store. Either may be empty.
type Names struct {
	Terminal, Store string
}

// Config is what a Server is made of.
type Config struct {
	Till  Till
	Clock clock.Clock
	Log   *slog.Logger
	// Token is what every caller must present.
	Token string
	// Hosts are host names allowed beside the loopback ones, without port.
	Hosts    []string
	Software string
	Link     func() Link
	Names    func() Names
	FreeDisk func() (int64, error)
	// CardPage is where shoppers open their card, without query, as long as HQ does not say
	// where; empty: nowhere.
	CardPage string
	// Committed is called after each durable sale, void and return, and must return at once.
	Committed func()
	Receipts  Receipts
	// Page is the till's page; nil when this binary was built without it.
	Page *web.Site
	// Sandbox holds the fixed codes; nil when this is no sandbox.
	Sandbox *SandboxCodes
}

// Server is the API. Serve may be called once.
type Server struct {
	cfg     Config
	app     *fiber.App
	events  *hub
	metrics *metrics

	mu       sync.Mutex
	listener *accept.Listener // nil before Serve
	stopped  bool
}

// New makes the server.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, events: newHub()}
	s.metrics = newMetrics(prometheus.NewRegistry(), s.status)
	s.app = fiber.New(fiber.Config{
		AppName: "Tallystick edge", DisableStartupMessage: true,
		// Values taken from a request outlive it in the till's memory.
		Immutable:    true,
		BodyLimit:    maxBody,
		ErrorHandler: s.fail,
		JSONDecoder:  decodeStrictly,
		ReadTimeout:  readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		// With a stream the guard reads bodies itself, under its own limit, and can
		// answer one that is too large before the caller has sent it all.
		StreamRequestBody: true,
	})
	return s
}

// routes is called once the address is known, since the guard compares with it.
func (s *Server) routes(port string) {
	s.app.Use(s.measure)
	s.app.Use(recover.New())
	s.app.Use(secure)
	guard := newGuard(s.cfg.Token, port, s.cfg.Hosts, s.cfg.Clock.Now)
	s.app.Use(guard.check)
	s.app.Use(s.page(guard.sessions))
	s.app.Use(readBody)
	s.app.Use(deadline)
	s.app.Use(s.stand(port))
	RegisterHandlers(s.app, NewStrictHandler(handlers{s}, nil))
}

// Serve answers calls on the listener until Stop, which may come first. The
// listener's port is the one that callers must name in Host.
func (s *Server) Serve(l net.Listener) error {
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return fmt.Errorf("read listener's address: %w", err)
	}
	wrapped := accept.Wrap(l)
	s.mu.Lock()
	s.listener = wrapped
	stopped := s.stopped
	s.mu.Unlock()
	if stopped {
		return wrapped.Close()
	}
	s.routes(port)
	if err := s.app.Listener(wrapped); err != nil {
		return fmt.Errorf("serve local API: %w", err)
	}
	return nil
}

// Stop ends the event streams, closes the listener and lets calls under way finish.
// Connections without a call are closed soon, all others when ctx ends; it is an
// error only when a handler goes on after that.
func (s *Server) Stop(ctx context.Context) error {
	s.events.stop()
	s.mu.Lock()
	s.stopped = true
	listener := s.listener
	s.mu.Unlock()
	if listener == nil {
		return nil
	}
	if err := listener.Drain(ctx, s.app.ShutdownWithContext); err != nil {
		return fmt.Errorf("stop local API: %w", err)
	}
	return nil
}

// deadline bounds a use case. Fiber never cancels a handler's context by itself.
func deadline(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}
