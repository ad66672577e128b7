package posbooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// Begin opens an import of a store for a file of a name and a size. Its parts come next.
func (s *Service) Begin(ctx context.Context, by Person, store uuid.UUID, name string, size int64, rules Rules) (Import, error) {
	if err := rules.Check(); err != nil {
		return Import{}, err
	}
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > 2*maxName || !plain(name) {
		return Import{}, refused(map[string]string{"/name": fmt.Sprintf("must have 1 to %d characters", 2*maxName)})
	}
	if size > MaxFile {
		return Import{}, problem.Newf(problem.BodyTooLarge, "a file has at most %d bytes", MaxFile)
	}
	if size < 1 {
		return Import{}, refused(map[string]string{"/size": "must be at least 1"})
	}
	if _, err := s.env.Fleet.Store(ctx, store); err != nil {
		return Import{}, err
	}
	now := s.now()
	i := Import{ID: s.env.NewID(), Store: store, Name: name, Rules: rules, Size: size, State: Arriving, Goal: size, By: by, CreatedAt: now, ChangedAt: now, Version: 1}
	if err := s.env.Store.AddPosImport(ctx, i); err != nil {
		return Import{}, fmt.Errorf("begin import: %w", err)
	}
	return i, nil
}

// Import returns an import.
func (s *Service) Import(ctx context.Context, store, id uuid.UUID) (Import, error) {
	return s.env.Store.PosImport(ctx, store, id)
}

// AddPart takes in the next part of a file: PartSize bytes, or what is left at its end. A
// part that came before, with the same bytes, changes nothing.
func (s *Service) AddPart(ctx context.Context, store, id uuid.UUID, n int, part []byte) (Import, error) {
	var i Import
	err := s.env.Store.InTx(ctx, func(ctx context.Context) (err error) {
		if i, err = s.env.Store.PosImport(ctx, store, id); err != nil {
			return err
		}
		if n < i.Parts && n >= 0 && i.State == Arriving {
			have, err := s.env.Store.PosPart(ctx, store, id, n)
			if err == nil && !bytes.Equal(have, part) {
				err = problem.New(problem.StateConflict, "another part of this number has come")
			}
			return err
		}
		switch want := min(PartSize, i.Size-i.Arrived); {
		case i.State != Arriving:
			return problem.Newf(problem.StateConflict, "the import is %s", i.State)
		case n != i.Parts:
			return problem.Newf(problem.StateConflict, "part %d comes next", i.Parts)
		case int64(len(part)) != want || want == 0:
			return problem.Newf(problem.StateConflict, "part %d has %d bytes, and %d were to come", n, len(part), want)
		}
		if err := s.env.Store.AddPosPart(ctx, store, id, n, part); err != nil {
			return err
		}
		i.Parts, i.Arrived, i.Done = i.Parts+1, i.Arrived+int64(len(part)), i.Done+int64(len(part))
		return s.put(ctx, &i)
	})
	if err != nil {
		return Import{}, fmt.Errorf("take part: %w", err)
	}
	return i, nil
}

// put stores the next version of an import.
func (s *Service) put(ctx context.Context, i *Import) error {
	i.Version, i.ChangedAt = i.Version+1, s.now()
	return s.env.Store.PutPosImport(ctx, *i)
}

// Run has a file that has arrived be read by rules.
func (s *Service) Run(ctx context.Context, store, id uuid.UUID, rules Rules) (Import, error) {
	if err := rules.Check(); err != nil {
		return Import{}, err
	}
	var i Import
	err := s.env.Store.InTx(ctx, func(ctx context.Context) (err error) {
		if i, err = s.env.Store.PosImport(ctx, store, id); err != nil {
			return err
		}
		if i.State != Arriving || i.Arrived != i.Size {
			return problem.Newf(problem.StateConflict, "the import is %s, and %d of %d bytes have come", i.State, i.Arrived, i.Size)
		}
		i.State, i.Rules, i.Done = Queued, rules, 0
		return s.put(ctx, &i)
	})
	if err != nil {
		return Import{}, fmt.Errorf("run import: %w", err)
	}
	return i, nil
}

// Cancel ends an import of which nothing counts yet. One that is being read ends soon.
func (s *Service) Cancel(ctx context.Context, store, id uuid.UUID) (Import, error) {
	var i Import
	err := s.env.Store.InTx(ctx, func(ctx context.Context) (err error) {
		if i, err = s.env.Store.PosImport(ctx, store, id); err != nil {
			return err
		}
		switch i.State {
		case Arriving, Queued:
			i.State = Cancelled
			if err := s.env.Store.DropPosParts(ctx, store, id); err != nil {
				return err
			}
			return s.put(ctx, &i)
		case BeingRead:
			if i.Stop = true; s.now().Sub(i.ChangedAt) < abandoned {
				return s.env.Store.StopPosImport(ctx, store, id)
			}
			i.State = Cancelled // nobody reads it: reading failed, or was broken off
			if err := s.env.Store.DropPosRows(ctx, store, id); err != nil {
				return err
			}
			if err := s.env.Store.DropPosParts(ctx, store, id); err != nil {
				return err
			}
			return s.put(ctx, &i)
		}
		return problem.Newf(problem.StateConflict, "the import is %s", i.State)
	})
	if err != nil {
		return Import{}, fmt.Errorf("cancel import: %w", err)
	}
	return i, s.again(ctx, store, WorkImport)
}

// Preview is how the beginning of a file is understood.
type Preview struct {
	Summary
	Rows       []Row
	BadRows    []Bad
	Unreadable string // why the file cannot be read at all; empty when it can
}

// maxPreview is how many rows a preview has.
const maxPreview = 50

// errEnough ends a preview.
var errEnough = errors.New("enough was read")

// Preview reads the first rows of what has arrived of a file, by rules that need not be its
// own. Nothing is kept.
func (s *Service) Preview(ctx context.Context, store, id uuid.UUID, rules Rules) (Preview, error) {
	if err := rules.Check(); err != nil {
		return Preview{}, err
	}
	i, err := s.env.Store.PosImport(ctx, store, id)
	if err != nil {
		return Preview{}, err
	}
	if i.Parts == 0 {
		return Preview{}, problem.New(problem.StateConflict, "no part of the file has come")
	}
	first, err := s.env.Store.PosPart(ctx, store, id, 0)
	if err != nil {
		return Preview{}, fmt.Errorf("preview: %w", err)
	}
	place, err := s.place(ctx, store)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Rows: []Row{}, BadRows: []Bad{}}
	full := func() error {
		if len(p.Rows)+len(p.BadRows) >= maxPreview {
			return errEnough
		}
		return nil
	}
	cut := int64(len(first)) < i.Size
	p.Summary, err = Reading{Rules: rules, Place: place, Now: s.now()}.Read(ctx, bytes.NewReader(first), Into{
		Row: func(r Row) error { p.Rows = append(p.Rows, r); return full() },
		Bad: func(b Bad) error { p.BadRows = append(p.BadRows, b); return full() },
	})
	if u := AsUnreadable(err); u != nil {
		if !cut || len(p.Rows)+len(p.BadRows) == 0 {
			p.Unreadable = u.Error()
		}
		err = nil
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return p, err
}

// parts reads the parts of a file one after the other.
type parts struct {
	ctx  context.Context
	s    *Service
	of   Import
	next int
	rest []byte
	read int64
}

// Read implements io.Reader.
func (p *parts) Read(into []byte) (int, error) {
	if len(p.rest) == 0 {
		if p.next == p.of.Parts {
			return 0, io.EOF
		}
		part, err := p.s.env.Store.PosPart(p.ctx, p.of.Store, p.of.ID, p.next)
		if err != nil {
			return 0, fmt.Errorf("read part %d: %w", p.next, err)
		}
		p.rest, p.next = part, p.next+1
	}
	n := copy(into, p.rest)
	p.rest, p.read = p.rest[n:], p.read+int64(n)
	return n, nil
}
