package posbooks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/posbooks"
)

func TestUploadsAreBounded(t *testing.T) {
	s := newStand(t, books.New(t))
	ctx := t.Context()
	code := func(err error) problem.Code { return problem.CodeOf(err) }
	if _, err := s.books.Begin(ctx, ida, s.Of.ID, "big", 2<<30, rules); code(err) != problem.BodyTooLarge {
		t.Errorf("2 GiB: %v", err)
	}
	i, err := s.books.Begin(ctx, ida, s.Of.ID, "a", posbooks.PartSize+5, rules)
	s.must(err)
	part := make([]byte, posbooks.PartSize)
	for name, n := range map[string]struct {
		n    int
		part []byte
	}{"out of order": {1, part}, "too short": {0, part[1:]}, "empty": {0, nil}, "below": {-1, part}} {
		if _, err := s.books.AddPart(ctx, s.Of.ID, i.ID, n.n, n.part); code(err) != problem.StateConflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = s.books.AddPart(ctx, s.Of.ID, i.ID, 0, part)
	s.must(err)
	if _, err := s.books.AddPart(ctx, s.Of.ID, i.ID, 0, part); err != nil {
		t.Errorf("the same part again: %v", err)
	}
	if _, err := s.books.AddPart(ctx, s.Of.ID, i.ID, 0, part[1:]); code(err) != problem.StateConflict {
		t.Errorf("another part again: %v", err)
	}
	if _, err := s.books.AddPart(ctx, s.Of.ID, i.ID, 1, part[:6]); code(err) != problem.StateConflict {
		t.Errorf("more than was said: %v", err)
	}
	if _, err := s.books.Run(ctx, s.Of.ID, i.ID, rules); code(err) != problem.StateConflict {
		t.Errorf("run too early: %v", err)
	}
	if _, err := s.books.AddPart(ctx, s.Of.ID, i.ID, 1, part[:5]); err != nil {
		t.Error(err)
	}
	// Nobody goes on with it.
	s.Clock.Advance(25 * time.Hour)
	s.round()
	if i, err = s.books.Import(ctx, s.Of.ID, i.ID); err != nil || i.State != posbooks.Cancelled {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestImportsThatComeToNothing(t *testing.T) {
	s := newStand(t, books.New(t))
	poslog := posbooks.Rules{Format: posbooks.POSLog, Expects: posbooks.ExpectAll}
	if i := s.bring(poslog, `<!DOCTYPE a [<!ENTITY b "c">]><POSLog/>`); i.State != posbooks.Failed || !strings.Contains(i.Reason, "declaration") {
		t.Errorf("%+v", i)
	}
	i := s.begin(rules, head+"1,Lane 1,2026-03-01 10:00,10.00,sale\n")
	p, err := s.books.Preview(t.Context(), s.Of.ID, i.ID, rules)
	if err != nil || len(p.Rows) != 1 || p.Rows[0].Amount != 1000 || p.Encoding != "utf-8" {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := s.books.Cancel(t.Context(), s.Of.ID, i.ID); err != nil {
		t.Error(err)
	}
	if _, err := s.books.Run(t.Context(), s.Of.ID, i.ID, rules); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("cancelled, and run: %v", err)
	}
	s.round()
	s.want("")
}
