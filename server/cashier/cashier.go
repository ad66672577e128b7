package cashier

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/pin"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// MaxName bounds the name of a cashier, in characters.
const MaxName = 40

// Cashier is somebody who works at the tills of one store.
type Cashier struct {
	ID        uuid.UUID
	Store     uuid.UUID
	Name      string // unique in its store, whatever its case
	Role      wire.CashierRole
	Active    bool
	PIN       pin.Hash
	Version   uint64
	CreatedAt time.Time
	PINSetAt  time.Time
	// ManagerUntil is when somebody stopped being an active manager: Unix milliseconds,
	// zero for never having been one, stillManager for being one.
	ManagerUntil int64
}

const stillManager = math.MaxInt64

// manages keeps ManagerUntil in step with role and activity.
func (c *Cashier) manages(now time.Time) {
	switch {
	case c.Active && c.Role == wire.RoleManager:
		c.ManagerUntil = stillManager
	case c.ManagerUntil == stillManager:
		c.ManagerUntil = now.UnixMilli()
	}
}

// New is a cashier to be added.
type New struct {
	Store uuid.UUID
	Name  string
	Role  wire.CashierRole
	PIN   string
}

// Change is what may change of a cashier; nil leaves it as it is.
type Change struct {
	Name   *string
	Role   *wire.CashierRole
	PIN    *string
	Active *bool
}

// Keeper is the storage this room needs. Methods take part in the transaction of ctx,
// if there is one. What is missing is problem.NotFound, a name that is taken
// problem.NameTaken.
type Keeper interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// AddExceptions leaves one that exists as it is.
	AddExceptions(ctx context.Context, rows []ledger.Exception) error

	AddCashier(ctx context.Context, c Cashier) error
	Cashier(ctx context.Context, store, id uuid.UUID) (Cashier, error)
	// Cashiers lists those of a store in the order of ids from after on.
	Cashiers(ctx context.Context, store, after uuid.UUID, limit int) ([]Cashier, error)
	// SetCashier writes all that may change. It is problem.Conflict unless the stored
	// version is one below c.Version.
	SetCashier(ctx context.Context, c Cashier) error

	// AddTillRules keeps one version of a store's rules for ever.
	AddTillRules(ctx context.Context, store uuid.UUID, version uint64, body []byte, by uuid.UUID, at time.Time) error
	// TillRules returns a version, LatestTillRules the highest.
	TillRules(ctx context.Context, store uuid.UUID, version uint64) ([]byte, error)
	LatestTillRules(ctx context.Context, store uuid.UUID) (version uint64, body []byte, err error)
}

// Journal is HQ's own journal; see hqjournal.
type Journal interface {
	Append(ctx context.Context, facts ...hqjournal.Fact) error
}

// Stores says whether a store is there: problem.NotFound when not.
type Stores func(ctx context.Context, id uuid.UUID) error

// Policies returns the policy of a version; problem.NotFound when there was none.
type Policies interface {
	PolicyOf(ctx context.Context, version uint64) (loyalty.Policy, error)
}

// Env is what this room takes from its surroundings.
type Env struct {
	Keeper   Keeper
	Journal  Journal
	Stores   Stores
	Policies Policies
	Clock    clock.Clock
	Random   io.Reader
	NewID    func() uuid.UUID
}

// Cashiers are those of one HQ. It is safe for concurrent use.
type Cashiers struct {
	env  Env
	seen *memory
}

// NewCashiers returns the cashiers.
func NewCashiers(env Env) *Cashiers { return &Cashiers{env: env, seen: newMemory()} }

func (c *Cashiers) now() time.Time { return c.env.Clock.Now().UTC().Truncate(time.Millisecond) }

// Add adds a cashier. by is the person who does it.
func (c *Cashiers) Add(ctx context.Context, by uuid.UUID, n New) (Cashier, error) {
	added := Cashier{
		ID: c.env.NewID(), Store: n.Store, Name: strings.TrimSpace(n.Name), Role: n.Role, Active: true, Version: 1, CreatedAt: c.now(),
	}
	added.manages(added.CreatedAt)
	if err := added.check(&n.PIN, "the cashier cannot be added"); err != nil {
		return Cashier{}, err
	}
	if err := c.env.Stores(ctx, n.Store); err != nil {
		return Cashier{}, fmt.Errorf("add cashier: %w", err)
	}
	if err := c.setPIN(&added, n.PIN); err != nil {
		return Cashier{}, fmt.Errorf("add cashier: %w", err)
	}
	err := c.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		if err := c.env.Keeper.AddCashier(ctx, added); err != nil {
			return err
		}
		return c.record(ctx, by, added)
	})
	if err != nil {
		return Cashier{}, fmt.Errorf("add cashier: %w", err)
	}
	return added, nil
}

// Change changes a cashier of a store. A new PIN, and being deactivated, sign them out
// at each till that hears of it.
func (c *Cashiers) Change(ctx context.Context, by, store, id uuid.UUID, change Change) (Cashier, error) {
	var changed Cashier
	err := c.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		var err error
		if changed, err = c.env.Keeper.Cashier(ctx, store, id); err != nil {
			return err
		}
		if change.Name != nil {
			changed.Name = strings.TrimSpace(*change.Name)
		}
		if change.Role != nil {
			changed.Role = *change.Role
		}
		if change.Active != nil {
			changed.Active = *change.Active
		}
		if err := changed.check(change.PIN, "the cashier cannot be changed"); err != nil {
			return err
		}
		if change.PIN != nil {
			if err := c.setPIN(&changed, *change.PIN); err != nil {
				return err
			}
		}
		changed.manages(c.now())
		changed.Version++
		if err := c.env.Keeper.SetCashier(ctx, changed); err != nil {
			return err
		}
		return c.record(ctx, by, changed)
	})
	if err != nil {
		return Cashier{}, fmt.Errorf("change cashier: %w", err)
	}
	return changed, nil
}

// Cashier returns one cashier of a store.
func (c *Cashiers) Cashier(ctx context.Context, store, id uuid.UUID) (Cashier, error) {
	return c.env.Keeper.Cashier(ctx, store, id)
}

// List lists the cashiers of a store from after on, those that are not active too.
func (c *Cashiers) List(ctx context.Context, store, after uuid.UUID, limit int) ([]Cashier, error) {
	if err := c.env.Stores(ctx, store); err != nil {
		return nil, err
	}
	return c.env.Keeper.Cashiers(ctx, store, after, limit)
}

func (c *Cashiers) setPIN(of *Cashier, digits string) error {
	var err error
	of.PINSetAt = c.now()
	of.PIN, err = pin.Make(c.env.Random, digits)
	return err
}

func (c Cashier) check(digits *string, what string) error {
	fields := map[string]string{}
	n := utf8.RuneCountInString(c.Name)
	if !utf8.ValidString(c.Name) || n < 1 || n > MaxName || strings.ContainsFunc(c.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		fields["/name"] = fmt.Sprintf("must have 1 to %d printable characters", MaxName)
	}
	if c.Role != wire.RoleCashier && c.Role != wire.RoleManager {
		fields["/role"] = "must be cashier or manager"
	}
	if digits != nil && !pin.OK(*digits) {
		fields["/pin"] = fmt.Sprintf("must have %d to %d digits", pin.Least, pin.Most)
	}
	if len(fields) > 0 {
		return &problem.Error{Code: problem.InvalidField, Detail: what, Fields: fields}
	}
	return nil
}

// record journals a cashier and tells the store. The journal has the digest of the PIN's
// hash in place of the hash, which everybody who reads it could guess the PIN from.
func (c *Cashiers) record(ctx context.Context, by uuid.UUID, of Cashier) error {
	told := wire.Cashier{ID: of.ID, Store: of.Store, Name: of.Name, Role: of.Role, Active: of.Active}
	kept, err := wire.Marshal(told)
	if err != nil {
		return err
	}
	if of.Active {
		told.PIN = of.PIN
	}
	body, err := wire.Marshal(told)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(append([]byte("tallystick cashier v1\x00"), of.PIN.Key...))
	in := shard.Of(of.Store)
	return c.env.Journal.Append(ctx, hqjournal.Fact{
		Shard: in, Kind: entry.KindHQCashier,
		Body:    entry.HQRecord{ID: of.ID, Version: of.Version, Record: kept, By: by, Digest: digest[:]},
		Publish: []feed.Change{{Shard: in, Scope: of.Store, Item: wire.Item{Kind: wire.ItemCashier, ID: of.ID, Version: of.Version, Body: body}}},
	})
}
