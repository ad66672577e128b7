package lan

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Terminal is what the node needs of the terminal it stands on.
type Terminal interface {
	Writer() journal.Writer
	// Lanes is the store's roster as HQ last said it, this terminal too.
	Lanes() []wire.Terminal
	// SignedHead signs the durable head. Its HLC is taken before the head, both under
	// one lock: see Book.
	SignedHead() (wire.SignedHead, error)
	// SignedAt signs the head as it was at seq, with no HLC.
	SignedAt(ctx context.Context, seq uint64) (wire.SignedHead, error)
	// Lend gives a lane a part of what this terminal may redeem; durable when it returns.
	Lend(ctx context.Context, lane wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error)
	// Lendable says what this terminal could lend a lane on an account, and reserves nothing.
	Lendable(ctx context.Context, lane wire.Terminal, asked wire.HeldRequest) (wire.HeldAnswer, error)
	// Confirmed tells that a lane holds a head of this terminal's own journal that the
	// journal still goes on from.
	Confirmed(ctx context.Context, seq uint64) error
	// Contradicted tells that a lane holds a signed head of this terminal that its
	// journal does not go on from: this is a copy, or was rolled back.
	Contradicted(ctx context.Context, finding entry.WitnessFinding, known wire.SignedHead) error
	// Saw journals the head of another lane, or what it proves against it. Seen returns
	// the last head of each lane that was journalled so.
	Saw(ctx context.Context, seen entry.Witness) error
	Seen(ctx context.Context) ([]wire.SignedHead, error)
	// HLC takes in a stamp of another lane.
	HLC(stamp uint64)
	// Said is the latest word of HQ that says when it was said, zero when there is none.
	// PassedOn takes in one that a lane shows, and believes HQ's signature alone.
	Said() wire.Dated
	PassedOn(ctx context.Context, said wire.Dated) error
}

// Config is what a Node is made of.
type Config struct {
	// Listen is the address for other lanes, as in ":7071".
	Listen string
	// Static are addresses of lanes, host:port.
	Static []string
	// Discover finds lanes by mDNS too, and announces this one.
	Discover bool
	Store    uuid.UUID
	Private  ed25519.PrivateKey
	Random   io.Reader // for the certificate
	Terminal Terminal
	// HQ is HQ's address, for relaying, and HTTP the client to reach it directly.
	HQ    string
	HTTP  *http.Client
	Clock clock.Clock
	Log   *slog.Logger
	// Timing may be zero: see DefaultTiming.
	Timing Timing
}

// Timing holds the waits. A zero field takes its default.
type Timing struct {
	Exchange time.Duration // between two looks at each lane's head
	Journal  time.Duration // between two witness entries about one lane
	Request  time.Duration // bounds a look
	Borrow   time.Duration // bounds a question for a loan
	Relay    time.Duration // bounds a relayed request
	Discover time.Duration // between two questions by mDNS
	Retry    time.Duration // how long HQ is asked through lanes only after it was out of reach
}

// DefaultTiming is used where a Config has none.
var DefaultTiming = Timing{
	Exchange: 3 * time.Second, Journal: 5 * time.Minute, Request: time.Second, Borrow: 150 * time.Millisecond,
	Relay: 45 * time.Second, Discover: 20 * time.Second, Retry: 15 * time.Second,
}

func (t Timing) orDefault() Timing {
	or := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&t.Exchange, DefaultTiming.Exchange)
	or(&t.Journal, DefaultTiming.Journal)
	or(&t.Request, DefaultTiming.Request)
	or(&t.Borrow, DefaultTiming.Borrow)
	or(&t.Relay, DefaultTiming.Relay)
	or(&t.Discover, DefaultTiming.Discover)
	or(&t.Retry, DefaultTiming.Retry)
	return t
}

// Node is one lane among the lanes of its store. It is safe for concurrent use.
type Node struct {
	cfg    Config
	timing Timing
	self   journal.Writer
	book   *Book
	peers  *peers
	client *http.Client
	server *http.Server
	listen net.Listener
	relays chan struct{} // one for each request relayed at the same time
	greet  chan struct{} // closed when the first look at each configured lane has ended
	direct atomic.Bool   // HQ answered the last request that went to it without help

	mu        sync.Mutex
	journaled map[uuid.UUID]witnessed // the last entry about each lane

	cancel context.CancelFunc
	done   sync.WaitGroup
}

type witnessed struct {
	at    time.Time
	epoch uint32
	seq   uint64
}

// maxRelays bounds the requests relayed at once; each may hold two bodies of
// wire.MaxBody.
const maxRelays = 16

// New makes a node that listens but does not serve yet.
func New(cfg Config) (*Node, error) {
	n := &Node{
		cfg: cfg, timing: cfg.Timing.orDefault(), self: cfg.Terminal.Writer(), book: NewBook(),
		relays: make(chan struct{}, maxRelays), greet: make(chan struct{}), journaled: map[uuid.UUID]witnessed{},
	}
	if err := n.remember(cfg.Terminal); err != nil {
		return nil, err
	}
	n.peers = newPeers(cfg.Static)
	cert, err := certificate(cfg.Random, cfg.Private, n.self.ID)
	if err != nil {
		return nil, err
	}
	n.client = &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: n.tlsConfig(cert), MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 2 * time.Second,
			DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	n.server = &http.Server{
		Handler: n.routes(), TLSConfig: n.tlsConfig(cert), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1: few lanes, few requests at once
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug), // strangers that are sent away
	}
	if n.listen, err = net.Listen("tcp", cfg.Listen); err != nil {
		return nil, fmt.Errorf("listen for lanes: %w", err)
	}
	return n, nil
}

// Addr is the address lanes reach this one at.
func (n *Node) Addr() net.Addr { return n.listen.Addr() }

// Start serves and looks after lanes until Stop or the end of ctx. It is called once.
func (n *Node) Start(ctx context.Context) error {
	ctx, n.cancel = context.WithCancel(ctx)
	if n.cfg.Discover {
		end, err := n.announce()
		if err != nil {
			n.cancel()
			return err
		}
		n.done.Go(func() {
			defer end()
			n.every(ctx, n.timing.Discover, n.discover)
		})
	}
	n.done.Go(func() {
		if err := n.server.ServeTLS(n.listen, "", ""); !errors.Is(err, http.ErrServerClosed) {
			n.cfg.Log.Error("lanes cannot reach this one any more", "err", err)
		}
	})
	var greeted sync.Once
	n.done.Go(func() {
		n.every(ctx, n.timing.Exchange, func(ctx context.Context) {
			n.exchangeAll(ctx)
			greeted.Do(func() { close(n.greet) })
		})
	})
	return nil
}

// Greeted is closed when each configured lane has said what it knows of this terminal's
// journal, or did not answer within Timing.Request.
func (n *Node) Greeted() <-chan struct{} { return n.greet }

// Stop ends serving, and returns when nothing runs any more.
func (n *Node) Stop() {
	if n.cancel == nil {
		_ = n.listen.Close() // never started; nothing hangs on it
		return
	}
	n.cancel()
	_ = n.server.Close() // requests under way are repeated by who sent them
	n.done.Wait()
	n.client.CloseIdleConnections()
}

// remember takes from the journal what lanes showed before the start. A head that the
// roster's key does not fit is of a lane that has left.
func (n *Node) remember(terminal Terminal) error {
	seen, err := terminal.Seen(context.Background())
	if err != nil {
		return fmt.Errorf("recall the store's lanes: %w", err)
	}
	for _, lane := range terminal.Lanes() {
		for _, signed := range seen {
			if shown, err := openOwn(lane, signed); err == nil && lane.ID != n.self.ID {
				n.book.Take(shown)
				n.journaled[lane.ID] = witnessed{time.Time{}, shown.Head.Epoch, shown.Head.Seq}
			}
		}
	}
	return nil
}

// every runs fn at once and then after each pause, until ctx ends.
func (n *Node) every(ctx context.Context, pause time.Duration, fn func(context.Context)) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		fn(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
