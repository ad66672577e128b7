package googlewallet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/rounds"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/google"
)

// Object is what is known of a pass's object at Google.
type Object struct {
	pass.Key
	Active  bool      // it can be used, as far as Google was told
	AgainAt time.Time // when the same face makes another object; zero for never
	Version uint64    // counts writes; 0 was never written
	Memory  []byte    // what was sent and told
}

// Store is the storage of this room. Methods join the transaction in ctx.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// GoogleObject returns an object with version 0 when there is none.
	GoogleObject(ctx context.Context, k pass.Key) (Object, error)
	// PutGoogleObject writes an object of the next version; problem.Conflict when another
	// wrote it meanwhile.
	PutGoogleObject(ctx context.Context, o Object) error
	// GoogleOffers returns the vouchers' passes of a member that are active at Google.
	GoogleOffers(ctx context.Context, member uuid.UUID) ([]pass.Key, error)
	// GoogleCard returns the card, at Google, of the member whose voucher's pass this is;
	// problem.NotFound when there is none.
	GoogleCard(ctx context.Context, voucher pass.Key) (pass.Key, error)
	// GoogleAgain returns objects whose time to be made again has come.
	GoogleAgain(ctx context.Context, now time.Time, limit int) ([]pass.Key, error)
	// DoneAgain forgets that time.
	DoneAgain(ctx context.Context, k pass.Key) error
	// GoogleClass returns what was sent of a class, nil when nothing was.
	GoogleClass(ctx context.Context, id string) ([]byte, error)
	PutGoogleClass(ctx context.Context, id string, sent []byte) error
	// TakeNonce keeps a digest of a callback's nonce; false when it is there.
	TakeNonce(ctx context.Context, shard int, nonce [32]byte, ends time.Time) (bool, error)
	// NewerCallback notes the end of a callback of an object; false when a newer one was
	// taken before.
	NewerCallback(ctx context.Context, k pass.Key, ends time.Time) (bool, error)
	// ReserveTurn takes the next turn of all processes on the database; see [Turns].
	ReserveTurn(ctx context.Context, earliest, latest time.Time, every time.Duration) (time.Time, error)
	// ForgetNonces drops those that ended before a time.
	ForgetNonces(ctx context.Context, before time.Time) error
}

// Passes is what the room needs of server/pass.
type Passes interface {
	// Saved notes that a phone has a pass, or has it no more.
	Saved(ctx context.Context, serial string, has bool) error
	// Again has passes sent as if they had changed.
	Again(ctx context.Context, keys []pass.Key) error
}

// Options are what the room stands on.
type Options struct {
	Store   Store
	Client  *google.Client
	Roots   *google.RootKeys
	Account google.Account
	Issuer  google.Issuer
	HQEpoch uint32
	Clock   clock.Clock
	// Jitter returns a number from 0 to 1, so that replicas do not come back together.
	Jitter func() float64
	Log    *slog.Logger
	Turn   rounds.Turn
}

// Wallet is the programme's passes at Google. It is safe for concurrent use.
type Wallet struct {
	*rounds.Loop
	o      Options
	passes Passes
	gate   gate

	oneClass sync.Mutex // held while a class is looked at and sent, so that it is sent once

	mu      sync.Mutex
	classes map[string]google.Sent
	answers map[string]int64
}

// againEvery is how often is looked for objects to be made again; a key changes 15
// minutes into its epoch, so a minute is soon.
const (
	againEvery = 30 * time.Second
	againMost  = 1000
)

// New returns a wallet whose rounds are not started. SetPasses comes before them.
func New(o Options) *Wallet {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &Wallet{o: o, gate: gate{jitter: o.Jitter}, classes: map[string]google.Sent{}, answers: map[string]int64{}}
	w.Loop = rounds.Elected(againEvery, o.Turn, w.Round, func(err error) {
		o.Log.Error("objects at Google could not be looked through; it is tried again", "error", err)
	})
	return w
}

// SetPasses says whose passes these are.
func (w *Wallet) SetPasses(p Passes) { w.passes = p }

// Observe counts an answer of Google's; it is the client's Observe.
func (w *Wallet) Observe(method string, status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	answer := strconv.Itoa(status)
	if status == 0 {
		answer = "none"
	}
	w.answers[answer]++
}

// Answers are how many requests were answered with which status since the start; none
// is for those without an answer.
func (w *Wallet) Answers() map[string]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[string]int64, len(w.answers))
	for status, n := range w.answers {
		out[status] = n
	}
	return out
}

// Link is the address at which a shopper saves an object that was put.
func (w *Wallet) Link(serial string, kind face.Kind) (string, error) {
	return google.SaveLink(w.o.Account, w.o.Issuer, kind, serial, []string{w.o.Issuer.Site}, w.now())
}

// Round has objects made again whose time has come, and forgets old callbacks.
func (w *Wallet) Round(ctx context.Context) error {
	for {
		due, err := w.o.Store.GoogleAgain(ctx, w.now(), againMost)
		if err != nil {
			return fmt.Errorf("read objects to make again: %w", err)
		}
		err = w.o.Store.InTx(ctx, func(ctx context.Context) error {
			for _, k := range due {
				if err := w.o.Store.DoneAgain(ctx, k); err != nil {
					return err
				}
			}
			return w.passes.Again(ctx, due)
		})
		if err != nil {
			return fmt.Errorf("make objects again: %w", err)
		}
		if len(due) < againMost {
			break
		}
	}
	if err := w.o.Store.ForgetNonces(ctx, w.now()); err != nil {
		return fmt.Errorf("forget callbacks: %w", err)
	}
	return nil
}

// Callback takes in what Google posts. What is malformed, forged, of another issuer or
// over is refused, and so is what was taken before; nothing of it counts. One that ends
// before the newest that was taken of its object is late, and changes nothing: Google says
// when callbacks end and not when they were made, so this holds as far as it gives all the
// same life. Two of one millisecond count in the order in which they come.
func (w *Wallet) Callback(ctx context.Context, raw []byte) error {
	roots, err := w.o.Roots.Get(ctx)
	if err != nil {
		return problem.Wrap(problem.Unavailable, err, "Google's keys cannot be had now")
	}
	e, err := w.o.Issuer.Believe(raw, roots, w.now())
	switch {
	case errors.Is(err, google.ErrMalformed):
		return problem.Wrap(problem.InvalidBody, err, "this is no callback of Google Wallet")
	case err != nil:
		return problem.Wrap(problem.Forbidden, err, "this callback is not believed")
	}
	k, ok := pass.ParseSerial(e.Serial)
	if !ok {
		return problem.New(problem.NotFound, "no such pass")
	}
	return w.o.Store.InTx(ctx, func(ctx context.Context) error {
		isNew, err := w.o.Store.TakeNonce(ctx, k.Shard, nonceDigest(e.Nonce), e.Expires)
		if err != nil {
			return fmt.Errorf("remember callback: %w", err)
		}
		if !isNew {
			return problem.New(problem.Conflict, "this callback was taken before")
		}
		newest, err := w.o.Store.NewerCallback(ctx, k, e.Expires)
		if err != nil {
			return fmt.Errorf("order callback: %w", err)
		}
		if !newest {
			return nil // what came of it was taken before
		}
		return w.passes.Saved(ctx, e.Serial, e.Type == google.Saved)
	})
}

func (w *Wallet) now() time.Time { return w.o.Clock.Now().UTC() }
