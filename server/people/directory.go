package people

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
)

// Person may sign in, unless ShutOut.
type Person struct {
	ID        uuid.UUID
	Name      string
	Role      Role
	ShutOut   bool
	CreatedAt time.Time
}

// Session is one sign-in. A zero EndedAt means that it was not signed out.
type Session struct {
	ID        uuid.UUID
	Person    uuid.UUID
	CreatedAt time.Time
	ExpiresAt time.Time
	EndedAt   time.Time
}

// Store is what the directory needs kept. Names are compared folded (see Fold).
// A name that is taken is problem.NameTaken; what is missing is problem.NotFound.
type Store interface {
	AddPerson(ctx context.Context, p Person, passwordHash string) error
	PersonByName(ctx context.Context, name string) (p Person, passwordHash string, err error)
	Person(ctx context.Context, id uuid.UUID) (Person, error)
	// People lists all in the order of ids, from after an id on.
	People(ctx context.Context, after uuid.UUID, limit int) ([]Person, error)
	// SetPassword changes what a person signs in with; the empty hash lets nobody in.
	SetPassword(ctx context.Context, id uuid.UUID, passwordHash string) error
	SetRole(ctx context.Context, id uuid.UUID, role Role) error
	// EndSessionsOf signs a person out everywhere.
	EndSessionsOf(ctx context.Context, id uuid.UUID, at time.Time) error
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	AddSession(ctx context.Context, s Session) error
	// SessionPerson returns a session that was not signed out, and its person.
	SessionPerson(ctx context.Context, id uuid.UUID) (Session, Person, error)
	EndSession(ctx context.Context, id uuid.UUID, at time.Time) error
	ActStore
}

// Env is what the directory takes from its surroundings.
type Env struct {
	Store  Store
	Clock  clock.Clock
	Random io.Reader
	NewID  func() uuid.UUID
	// Issuer stands in each token; a token of another HQ is refused.
	Issuer string
	// TokenKey signs the sessions' tokens and nothing else.
	TokenKey ed25519.PrivateKey
	// SessionLife is how long a session lasts; zero is 12 hours.
	SessionLife time.Duration
}

// Directory is HQ's people. It is safe for concurrent use.
type Directory struct {
	env      Env
	throttle Throttle
	// hashing bounds the memory that concurrent sign-ins take, 19 MiB each.
	hashing chan struct{}
	// decoy is checked for names that do not exist, so that they take as long.
	decoy string
}

// New returns a directory.
func New(env Env) (*Directory, error) {
	if env.SessionLife == 0 {
		env.SessionLife = 12 * time.Hour
	}
	decoy, err := hashPassword(env.Random, "no such person")
	if err != nil {
		return nil, err
	}
	return &Directory{env: env, hashing: make(chan struct{}, 2), decoy: decoy}, nil
}

// Fold is the form in which names are compared.
func Fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Add lets a person sign in. The name is 1 to 64 characters, the password
// MinPassword to MaxPassword bytes.
func (d *Directory) Add(ctx context.Context, name string, role Role, password string) (Person, error) {
	fields := map[string]string{}
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > 64 || !printable(name) {
		fields["/name"] = "must have 1 to 64 printable characters"
	}
	if len(password) < MinPassword || len(password) > MaxPassword {
		fields["/password"] = fmt.Sprintf("must have %d to %d bytes", MinPassword, MaxPassword)
	}
	if !role.Known() {
		fields["/role"] = "is not known"
	}
	if len(fields) > 0 {
		return Person{}, &problem.Error{Code: problem.InvalidField, Detail: "the person cannot be added", Fields: fields}
	}
	hash, err := hashPassword(d.env.Random, password)
	if err != nil {
		return Person{}, err
	}
	p := Person{ID: d.env.NewID(), Name: name, Role: role, CreatedAt: d.env.Clock.Now().UTC()}
	if err := d.env.Store.AddPerson(ctx, p, hash); err != nil {
		return Person{}, fmt.Errorf("add person: %w", err)
	}
	return p, nil
}

// SignedIn is the answer to a sign-in.
type SignedIn struct {
	Token     string
	ExpiresAt time.Time
	Person    Person
}

// SignIn opens a session. A wrong name and a wrong password both answer
// problem.SignInFailed; too many failures answer problem.TooManyRequests.
func (d *Directory) SignIn(ctx context.Context, name, password, address string) (SignedIn, error) {
	now := d.env.Clock.Now().UTC()
	byName, byAddress := "name "+Fold(name)+" at "+address, "at "+address
	if wait := max(d.throttle.Wait(byName, now), d.throttle.Wait(byAddress, now)); wait > 0 {
		e := problem.New(problem.TooManyRequests, "too many failed sign-ins")
		e.RetryAfter = int(math.Ceil(wait.Seconds()))
		return SignedIn{}, e
	}
	person, err := d.verify(ctx, name, password)
	if problem.CodeOf(err) == problem.SignInFailed {
		d.throttle.Fail(byName, freeTriesName, now)
		d.throttle.Fail(byAddress, freeTriesAddress, now)
	}
	if err != nil {
		return SignedIn{}, err
	}
	d.throttle.Clear(byName)
	s := Session{ID: d.env.NewID(), Person: person.ID, CreatedAt: now, ExpiresAt: now.Add(d.env.SessionLife)}
	if err := d.env.Store.AddSession(ctx, s); err != nil {
		return SignedIn{}, fmt.Errorf("open session: %w", err)
	}
	token, err := d.token(s)
	if err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Token: token, ExpiresAt: s.ExpiresAt, Person: person}, nil
}

func (d *Directory) verify(ctx context.Context, name, password string) (Person, error) {
	person, hash, err := d.find(ctx, Fold(name))
	known := err == nil
	switch {
	case problem.CodeOf(err) == problem.NotFound, err == nil && person.ShutOut:
		hash, known = d.decoy, false
	case err != nil:
		return Person{}, fmt.Errorf("find person: %w", err)
	}
	select {
	case d.hashing <- struct{}{}:
		defer func() { <-d.hashing }()
	case <-ctx.Done():
		return Person{}, problem.Wrap(problem.Unavailable, ctx.Err(), "too many sign-ins at once")
	}
	ok, err := checkPassword(hash, password)
	if err != nil {
		return Person{}, fmt.Errorf("check password: %w", err)
	}
	if !ok || !known {
		return Person{}, problem.New(problem.SignInFailed, "")
	}
	return person, nil
}

// find looks a name up, unless it has characters that no name may have and that a
// database need not take.
func (d *Directory) find(ctx context.Context, name string) (Person, string, error) {
	if !printable(name) {
		return Person{}, "", problem.New(problem.NotFound, "no such person")
	}
	return d.env.Store.PersonByName(ctx, name)
}

func printable(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

// Authenticate returns the session and the person of a token, or
// problem.Unauthenticated.
func (d *Directory) Authenticate(ctx context.Context, token string) (Session, Person, error) {
	id, err := d.sessionOf(token)
	if err != nil {
		return Session{}, Person{}, problem.Wrap(problem.Unauthenticated, err, "the token does not verify or has expired")
	}
	session, person, err := d.env.Store.SessionPerson(ctx, id)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return Session{}, Person{}, problem.New(problem.Unauthenticated, "the session has ended")
	case err != nil:
		return Session{}, Person{}, fmt.Errorf("find session: %w", err)
	case !d.env.Clock.Now().Before(session.ExpiresAt):
		return Session{}, Person{}, problem.New(problem.Unauthenticated, "the session has expired")
	}
	return session, person, nil
}

// SignOut ends a session; its token is worth nothing from then on.
func (d *Directory) SignOut(ctx context.Context, session uuid.UUID) error {
	if err := d.env.Store.EndSession(ctx, session, d.env.Clock.Now().UTC()); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}
