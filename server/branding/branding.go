package branding

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/brand"
)

// Store is the storage branding needs. Methods take part in the transaction of ctx, if
// there is one. What is missing is problem.NotFound.
type Store interface {
	// LookVersion is the version in force, 0 before the first.
	LookVersion(ctx context.Context) (uint64, error)
	Look(ctx context.Context, version uint64) (Record, error)
	// AddLook refuses a version that exists with problem.Conflict.
	AddLook(ctx context.Context, r Record) error

	// AddPicture keeps a picture; one that is there already is kept as new.
	AddPicture(ctx context.Context, id PictureID, png []byte, at time.Time) error
	Picture(ctx context.Context, id PictureID) ([]byte, error)
	// DropPictures forgets pictures of before a time that no look has.
	DropPictures(ctx context.Context, before time.Time) error
}

// Record is one version as it is kept.
type Record struct {
	Version  uint64
	Body     []byte // JSON (see body)
	Pictures Pictures
	By       uuid.UUID
	ByName   string // at the time
	At       time.Time
}

// Pictures are the uploaded pictures of a look; the zero id is the built-in one.
type Pictures struct{ Logo, Icon, Strip PictureID }

// Person is who changes a look.
type Person struct {
	ID   uuid.UUID
	Name string
}

// Look is one version of how passes look.
type Look struct {
	Brand    brand.Brand
	Pictures Pictures
	By       Person
	At       time.Time // zero for what nobody has set
	Warnings []brand.Warning
}

// Env is what branding takes from its surroundings.
type Env struct {
	Store Store
	Clock clock.Clock
	// Programme is what the programme is called before anybody says so.
	Programme string
}

// Service is the look of the one programme of an HQ. It is safe for concurrent use.
type Service struct {
	env     Env
	painter *brand.Painter
	// decoding holds who decodes an upload: a picture takes up to 64 MiB meanwhile.
	decoding chan struct{}
	// drawing holds who draws a public picture: those of a look take up to 30 MiB meanwhile.
	drawing chan struct{}

	mu   sync.Mutex
	last *brand.Brand // the latest read, whole
}

// drawnAtOnce is how many public pictures are drawn at a time.
const drawnAtOnce = 2

// New returns the service.
func New(env Env) *Service {
	return &Service{env: env, painter: brand.NewPainter(), decoding: make(chan struct{}, 1), drawing: make(chan struct{}, drawnAtOnce)}
}

// Version is the version in force, 0 when the built-in look is. It is one small read: who
// keeps passes compares it with the version they were made with.
func (s *Service) Version(ctx context.Context) (uint64, error) {
	v, err := s.env.Store.LookVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("read version of look: %w", err)
	}
	return v, nil
}

// Current is the brand in force, with its pictures. They must not be changed.
func (s *Service) Current(ctx context.Context) (brand.Brand, error) {
	version, err := s.Version(ctx)
	if err != nil {
		return brand.Brand{}, err
	}
	return s.At(ctx, version)
}

// At is the brand of a version; problem.NotFound when there is none.
func (s *Service) At(ctx context.Context, version uint64) (brand.Brand, error) {
	if version == 0 {
		return brand.Default(s.env.Programme), nil
	}
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	if last != nil && last.Version == version {
		return *last, nil
	}
	r, err := s.env.Store.Look(ctx, version)
	if err != nil {
		return brand.Brand{}, fmt.Errorf("read look %d: %w", version, err)
	}
	b, err := s.whole(ctx, r)
	if err != nil {
		return brand.Brand{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || s.last.Version <= version {
		s.last = &b
	}
	return b, nil
}

// Look is what is in force, for people.
func (s *Service) Look(ctx context.Context) (Look, error) {
	version, err := s.Version(ctx)
	if err != nil {
		return Look{}, err
	}
	b, err := s.At(ctx, version)
	if err != nil {
		return Look{}, err
	}
	look := Look{Brand: b}
	if version > 0 {
		r, err := s.env.Store.Look(ctx, version)
		if err != nil {
			return Look{}, fmt.Errorf("read look %d: %w", version, err)
		}
		look.Pictures, look.By, look.At = r.Pictures, Person{r.By, r.ByName}, r.At
	}
	look.Warnings, err = brand.Check(b)
	return look, err
}

// Put puts a look in force. b.Version is the version it was made from: when another is in
// force meanwhile the answer is problem.Conflict. Its pictures are those
// that p names.
func (s *Service) Put(ctx context.Context, by Person, b brand.Brand, p Pictures) (Look, error) {
	b, warnings, err := s.Check(ctx, b, p)
	if err != nil {
		return Look{}, err
	}
	version, err := s.Version(ctx)
	if err != nil {
		return Look{}, err
	}
	if b.Version != version {
		return Look{}, problem.Newf(problem.Conflict, "this was made from version %d, in force is %d", b.Version, version)
	}
	b.Version++
	r := Record{Version: b.Version, Pictures: p, By: by.ID, ByName: by.Name, At: s.now()}
	if r.Body, err = writeBody(b); err != nil {
		return Look{}, err
	}
	if err := s.keep(ctx, b, p); err != nil {
		return Look{}, err
	}
	if err := s.env.Store.AddLook(ctx, r); err != nil {
		return Look{}, fmt.Errorf("put look in force: %w", err)
	}
	return Look{Brand: b, Pictures: p, By: by, At: r.At, Warnings: warnings}, nil
}

// Check says what Put would say, and returns the brand with its pictures.
func (s *Service) Check(ctx context.Context, b brand.Brand, p Pictures) (brand.Brand, []brand.Warning, error) {
	b, err := s.pictured(ctx, b, p)
	if err != nil {
		return brand.Brand{}, nil, err
	}
	warnings, err := brand.Check(b)
	return b, warnings, err
}

func (s *Service) now() time.Time { return s.env.Clock.Now().UTC().Truncate(time.Millisecond) }

func (s *Service) whole(ctx context.Context, r Record) (brand.Brand, error) {
	b, err := readBody(r.Body)
	if err != nil {
		return brand.Brand{}, err
	}
	b.Version = r.Version
	return s.pictured(ctx, b, r.Pictures)
}

// keep keeps the pictures of a look as new, so that none is dropped while it is put in force.
func (s *Service) keep(ctx context.Context, b brand.Brand, p Pictures) error {
	for id, png := range map[PictureID][]byte{p.Logo: b.Logo, p.Icon: b.Icon, p.Strip: b.Strip} {
		if id == (PictureID{}) {
			continue
		}
		if err := s.env.Store.AddPicture(ctx, id, png, s.now()); err != nil {
			return fmt.Errorf("keep picture: %w", err)
		}
	}
	return nil
}

// pictured gives a brand the pictures that ids name.
func (s *Service) pictured(ctx context.Context, b brand.Brand, p Pictures) (brand.Brand, error) {
	b.Logo, b.Icon, b.Strip = nil, nil, nil
	for _, of := range []struct {
		field string
		id    PictureID
		into  *[]byte
	}{{"logo", p.Logo, &b.Logo}, {"icon", p.Icon, &b.Icon}, {"strip", p.Strip, &b.Strip}} {
		if of.id == (PictureID{}) {
			continue
		}
		png, err := s.env.Store.Picture(ctx, of.id)
		if problem.CodeOf(err) == problem.NotFound {
			return brand.Brand{}, &problem.Error{
				Code: problem.InvalidField, Detail: "a picture is not there any more; upload it again",
				Fields: map[string]string{"/pictures/" + of.field: "is not known"}, Err: err,
			}
		}
		if err != nil {
			return brand.Brand{}, fmt.Errorf("read picture: %w", err)
		}
		*of.into = png
	}
	return b, nil
}
