package lan_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/lan"
	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// storeLanes is how many lanes a store has here; the first holds the right.
const storeLanes = 4

// lanes is a store whose tills talk over TLS on loopback.
type lanes struct {
	world  *tilltest.World
	member wire.Member
	reward loyalty.Reward
	code   string
	page   wire.FeedPage // all that HQ says
	lanes  [storeLanes]*lane
}

// lane is one terminal: what outlives it, and the agent that runs.
type lane struct {
	*lanes
	no      int
	writer  journal.Writer
	journal *mortal
	state   *tilltest.State
	address string

	mu        sync.RWMutex // held by calls for reading, while it starts again for writing
	till      *till.Till
	node      *lan.Node
	restarted chan struct{} // closed when the agent that now runs has been replaced
}

// anyPort has the first start of a lane take a free port, which it then keeps.
const anyPort = "127.0.0.1:0"

// newLanes starts a store in which one right to holdingPoints is held by the first lane.
func newLanes(t *testing.T, seed uint64, mutant till.Mutant) *lanes {
	t.Helper()
	w := tilltest.NewWorld(t)
	w.Mutant = mutant
	w.Policy.PerSale, w.Policy.PerTerminal, w.Policy.VouchersTerminal = 0, 0, 0
	w.Policy.Rights = loyalty.Rights{LifeSeconds: 86_400, OneOffSeconds: 600, ClockBoundSeconds: 60}
	s := &lanes{world: w, member: w.Member(10_000), reward: w.Reward(rewardCost, 500)}
	s.code = w.Static(t, s.member)
	items := append(w.Base(t), w.Item(t, wire.ItemMember, s.member.ID, s.member), w.Item(t, wire.ItemReward, s.reward.ID, s.reward),
		w.Granted(t, w.Grant(s.member, holdingPoints), false, false))
	for i := range s.lanes {
		l := &lane{lanes: s, no: i, writer: w.Writer, state: tilltest.NewState(), address: anyPort}
		if i > 0 {
			l.writer.ID = w.NewID()
		}
		l.journal = &mortal{Journal: &tilltest.Journal{Writer: l.writer}, dice: mrand.New(mrand.NewPCG(seed, uint64(i)))}
		items = append(items, w.Lane(t, l.writer))
		s.lanes[i] = l
	}
	s.page = w.Page(items...)
	for _, l := range s.lanes {
		l.start(t)
		l.journal.arm()
	}
	for _, l := range s.lanes[1:] {
		until(t, "the lane sees the holder", func() bool { return up(l.node, w.Writer.ID) })
	}
	return s
}

// start starts the agent on what outlived the last one.
func (l *lane) start(t *testing.T) {
	cfg := l.world.Config(l.journal, l.state)
	cfg.Writer, cfg.Signer = l.writer, tilltest.Own(t, l.writer.ID)
	var err error
	if l.till, err = till.New(cfg); err != nil {
		t.Error(err)
	}
	if _, err := l.till.Recover(context.Background()); err != nil {
		t.Error(err)
	}
	if l.till.Cursor() == "" {
		if err := l.till.ApplyFeed(context.Background(), l.page); err != nil {
			t.Error(err)
		}
	}
	var static []string
	if l.no > 0 {
		static = []string{l.lanes.lanes[0].address}
	}
	l.node, err = lan.New(lan.Config{
		Listen: l.address, Static: static, Store: l.world.Store, Private: cfg.Signer.Private(), Random: rand.Reader, Terminal: l.till,
		HTTP: http.DefaultClient, Clock: l.world.Clock, Log: slog.New(slog.DiscardHandler),
		Timing: lan.Timing{Exchange: 10 * time.Millisecond, Request: 5 * time.Second, Borrow: patience},
	})
	if err == nil {
		err = l.node.Start(context.Background())
	}
	if err != nil {
		t.Error(err)
		return
	}
	if l.address == anyPort { // the first start; all lanes read it later
		l.address = l.node.Addr().String()
	}
	l.till.Connect(till.Helpers{Lender: &mishaps{Node: l.node, dice: l.journal.dice, mu: &l.journal.mu}})
	l.restarted = make(chan struct{})
}

// end ends the agent as it stands.
func (l *lane) end() {
	l.node.Stop()
	_ = l.till.Close() // it may have died
}

func (s *lanes) stop() {
	for _, l := range s.lanes {
		l.end()
	}
}

// supervise starts lanes again that have died, until ctx ends.
func (s *lanes) supervise(ctx context.Context, t *testing.T) *sync.WaitGroup {
	var all sync.WaitGroup
	for _, l := range s.lanes {
		all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-l.till.Done():
				}
				l.mu.Lock()
				was := l.restarted
				l.end()
				l.journal.revive()
				l.start(t)
				l.mu.Unlock()
				close(was)
			}
		})
	}
	return &all
}

// call calls the till that runs, again after each time it died in the call.
func (l *lane) call(ctx context.Context, fn func(*till.Till) error, died func()) error {
	for {
		l.mu.RLock()
		now, restarted := l.till, l.restarted
		err := fn(now)
		l.mu.RUnlock()
		select {
		case <-now.Done():
		default:
			return err
		}
		if err == nil {
			return nil // it died in another call
		}
		if died != nil {
			died()
		}
		select {
		case <-restarted:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// buy is a basket with points for it.
func (s *lanes) buy(amount int64) till.Request {
	return till.Request{Codes: []string{s.code}, Basket: tilltest.Basket(20_000), Wishes: wish(s.reward, amount)}
}

// pass lets every loan end.
func (s *lanes) pass() { s.world.Pass(11 * time.Minute) }

// mortal is a journal whose machine dies at some append: before it, or after it without
// an answer.
type mortal struct {
	*tilltest.Journal
	mu    sync.Mutex
	dice  *mrand.Rand
	fuse  int // appends until it dies; 0: it does not
	lives int
	dead  bool
}

var errDead = fmt.Errorf("the machine is off: %w", journal.ErrStopped)

// arm draws when the machine dies next; three times at most.
func (m *mortal) arm() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lives++; m.lives <= 3 {
		m.fuse = 3 + m.dice.IntN(25)
	}
}

func (m *mortal) revive() {
	m.mu.Lock()
	m.dead = false
	m.mu.Unlock()
	m.arm()
}

// AppendFunc adds one entry, or dies.
func (m *mortal) AppendFunc(ctx context.Context, build func(uint64) ([]byte, error)) (journal.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return journal.Position{}, errDead
	}
	if m.fuse > 0 {
		m.fuse--
		if m.dead = m.fuse == 0; m.dead && m.dice.IntN(2) == 0 {
			return journal.Position{}, errDead
		}
	}
	at, err := m.Journal.AppendFunc(ctx, build)
	if m.dead {
		return journal.Position{}, errDead
	}
	return at, err
}

// trace is what became of the questions for loans of one call.
type trace struct {
	answered int
	lost     bool
}

type traceKey struct{}

func (t *trace) in(ctx context.Context) context.Context { return context.WithValue(ctx, traceKey{}, t) }

// mishaps asks for loans over the network: some answers get lost, some questions are
// asked twice.
type mishaps struct {
	*lan.Node
	mu   *sync.Mutex
	dice *mrand.Rand
}

// patience is how long a lane may take here, for machines that are busy with other things.
const patience = 5 * time.Second

var errLost = errors.New("the answer was lost")

// Borrow asks a lane.
func (m *mishaps) Borrow(ctx context.Context, from wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	m.mu.Lock()
	luck := m.dice.IntN(100)
	m.mu.Unlock()
	t := ctx.Value(traceKey{}).(*trace)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	answer, err := m.Node.Borrow(ctx, from, asked)
	for errors.Is(err, till.ErrNotAsked) && ctx.Err() == nil { // the lane is just starting again
		time.Sleep(2 * time.Millisecond)
		answer, err = m.Node.Borrow(ctx, from, asked)
	}
	if err == nil && luck < 15 {
		answer, err = m.Node.Borrow(ctx, from, asked)
	}
	t.answered++
	if luck > 90 && err == nil {
		err = errLost
	}
	t.lost = t.lost || err != nil
	return answer, err
}
