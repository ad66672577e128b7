package phones

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/apnsdouble"
)

// Options say where the phones live.
type Options struct {
	// Service is the address of the pass web service, up to before "/v1".
	Service string
	// PassType is the pass type identifier of all passes.
	PassType string
	Double   *apnsdouble.Double
	Reader   *Reader
	// Shows reads from pass.json what is compared in the end, and all that it says apart
	// from when that was known: a pass that says the same again was fetched needlessly.
	Shows func(passJSON []byte) (shows, says string, err error)
	// AtOnce is how many phones ask at the same time; 0 means 32.
	AtOnce int
	// Seed makes device ids and tokens.
	Seed uint64
}

// Figures are what the phones did and saw.
type Figures struct {
	Phones, Registrations    int
	Pushes, Lists, Fetches   int
	Unchanged                int // fetches answered 304
	Empty                    int // lists answered 204: the push said nothing new
	Stray                    int // pushes to phones that had deleted their passes
	Retries                  int // because HQ was away
	TokenChanges, Reinstalls int
	Deletions                int
	Bytes                    int64 // of fetched passes
}

// Violation is a broken promise of HQ.
type Violation struct {
	Phone  int
	Serial string
	What   string
}

// String says it on one line.
func (v Violation) String() string {
	return strings.TrimSpace(fmt.Sprintf("phone %d %s: %s", v.Phone, v.Serial, v.What))
}

// Fleet is all phones. Its methods are for one goroutine, except where said.
type Fleet struct {
	service  *service
	passType string
	double   *apnsdouble.Double
	reader   *Reader
	shows    func([]byte) (shows, says string, err error)
	phones   []*Phone
	stop     context.CancelFunc
	workers  sync.WaitGroup
	ctx      context.Context // of the workers

	mu         sync.Mutex
	random     *rand.Rand
	figures    Figures
	violations []Violation
	waiting    []*Phone
	asking     int
	filled     *sync.Cond
	moved      time.Time // of the last change of the figures
}

// New makes a fleet without phones; its workers run until Close.
func New(ctx context.Context, o Options) *Fleet {
	if o.AtOnce == 0 {
		o.AtOnce = 32
	}
	f := &Fleet{
		service:  &service{base: strings.TrimSuffix(o.Service, "/"), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * o.AtOnce, DisableCompression: true}, Timeout: time.Minute}},
		passType: o.PassType, double: o.Double, reader: o.Reader, shows: o.Shows,
		random: rand.New(rand.NewPCG(o.Seed, 0x70686f6e6573)),
	}
	f.filled = sync.NewCond(&f.mu)
	f.ctx, f.stop = context.WithCancel(ctx)
	context.AfterFunc(f.ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.filled.Broadcast()
	})
	for range o.AtOnce {
		f.workers.Go(f.work)
	}
	return f
}

// Close ends the workers.
func (f *Fleet) Close() {
	f.stop()
	f.workers.Wait()
	f.service.client.CloseIdleConnections()
}

// work lets phones ask that were pushed to.
func (f *Fleet) work() {
	for {
		p := f.take()
		if p == nil {
			return
		}
		for p.next() {
			if err := p.update(f.ctx); err != nil && f.ctx.Err() == nil {
				f.violate(p, "", err.Error())
			}
		}
		f.mu.Lock()
		f.asking--
		f.mu.Unlock()
	}
}

// take waits for a phone that wants to ask; nil when the fleet ends.
func (f *Fleet) take() *Phone {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.waiting) == 0 {
		if f.ctx.Err() != nil {
			return nil
		}
		f.filled.Wait()
	}
	if f.ctx.Err() != nil {
		return nil
	}
	p := f.waiting[0]
	f.waiting = f.waiting[1:]
	f.asking++
	return p
}

func (f *Fleet) queue(p *Phone) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, p)
	f.filled.Signal()
}

// Idle says whether no phone has anything left to ask. For any goroutine.
func (f *Fleet) Idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting) == 0 && f.asking == 0
}

// Install makes a phone with one pass, registered. For any goroutine.
func (f *Fleet) Install(ctx context.Context, pass []byte) (*Phone, error) {
	p := &Phone{fleet: f, device: f.deviceID(), push: f.token(), passes: map[string]*held{}}
	f.double.Phone(p.push, p.arrived)
	f.mu.Lock()
	f.phones = append(f.phones, p)
	p.name = len(f.phones)
	f.figures.Phones = len(f.phones)
	f.mu.Unlock()
	if err := p.install(ctx, pass); err != nil {
		return nil, fmt.Errorf("phone %d: %w", p.name, err)
	}
	return p, nil
}

// Phones returns all phones. For any goroutine.
func (f *Fleet) Phones() []*Phone {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.phones)
}

// Figures returns what has happened up to now. For any goroutine.
func (f *Fleet) Figures() Figures {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.figures
}

// Violations returns the broken promises up to now. For any goroutine.
func (f *Fleet) Violations() []Violation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.violations)
}

func (f *Fleet) count(change func(*Figures)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.figures)
	f.moved = time.Now()
}

// kept is how many violations are kept; the first ones say what is wrong.
const kept = 1000

func (f *Fleet) violate(p *Phone, serial, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.violations) < kept {
		f.violations = append(f.violations, Violation{Phone: p.name, Serial: serial, What: what})
	}
}

// Settle waits until every pass on every phone shows what want says of its serial. When
// nothing moves for patience, each that does not is a violation: an update was lost.
func (f *Fleet) Settle(ctx context.Context, patience time.Duration, want func(serial string) string) error {
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		behind := 0
		var lost []Violation
		if f.Idle() {
			for _, p := range f.Phones() {
				for serial, shows := range p.Shows() {
					if w := want(serial); shows != w {
						behind++
						lost = append(lost, Violation{p.name, serial, fmt.Sprintf("update lost: it shows %q, HQ has %q", shows, w)})
					}
				}
			}
			if behind == 0 {
				return nil
			}
		}
		f.mu.Lock()
		last := f.moved
		f.mu.Unlock()
		if last.Before(began) {
			last = began
		}
		if len(lost) > 0 && time.Since(last) > patience {
			f.mu.Lock()
			f.violations = append(f.violations, lost[:min(len(lost), max(0, kept-len(f.violations)))]...)
			f.mu.Unlock()
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// insist tries until the service answers; a phone that is away tries again too.
func (f *Fleet) insist(ctx context.Context, call func() error) error {
	for n := 0; ; n++ {
		err := call()
		after, again := away(err)
		if !again {
			return err
		}
		f.count(func(f *Figures) { f.Retries++ })
		select {
		case <-time.After(pause(n, after)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// read verifies a pass and reads what it shows.
func (f *Fleet) read(raw []byte) (*held, error) {
	bundle, err := f.reader.Read(raw)
	if err != nil {
		return nil, err
	}
	if bundle.PassType != f.passType {
		return nil, fmt.Errorf("it is of type %s", bundle.PassType)
	}
	h := &held{serial: bundle.Serial, token: bundle.Token, service: bundle.Service}
	var says string
	if h.shows, says, err = f.shows(bundle.JSON); err != nil {
		return nil, fmt.Errorf("pass.json: %w", err)
	}
	h.says = sha1.Sum([]byte(says))
	return h, nil
}

// token makes a push token: 32 bytes in hexadecimal, as Apple's are now.
func (f *Fleet) token() string { return hex.EncodeToString(f.bytes(32)) }

func (f *Fleet) deviceID() string {
	id, err := uuid.FromBytes(f.bytes(16))
	if err != nil {
		panic(errors.Join(errors.New("16 bytes are no uuid"), err))
	}
	return strings.ReplaceAll(id.String(), "-", "")
}

func (f *Fleet) bytes(n int) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(f.random.Uint32())
	}
	return out
}
