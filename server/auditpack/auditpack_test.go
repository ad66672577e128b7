package auditpack_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/auditpack"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/entry"
)

// closed is a shop with a certified day.
func closed(t *testing.T) *shop.Shop {
	t.Helper()
	s := shop.New(t, books.New(t))
	lane := s.Lane(t, "one")
	lane.Sell(t, 500, 0)
	lane.CloseDay(t)
	lane.Deliver(t)
	s.Round(t)
	return s
}

func write(s *shop.Shop, dir string, to entry.Date, make func(string) (auditpack.Dir, error)) error {
	return auditpack.Write(context.Background(), auditpack.Env{
		Store: s.DB, Clock: s.Clock, HQ: s.ID, Signer: s.Signer, Keys: s.HQ.Keys, MakeDir: make,
	}, dir, []fleet.Store{s.Of}, to)
}

// full is a folder that has no room for journals.
type full struct{ auditpack.Dir }

func (f full) Create(name string) (io.WriteCloser, error) {
	if filepath.Dir(name) == "journals" {
		return nil, errors.New("the disk is full")
	}
	return f.Dir.Create(name)
}

// A pack is there whole, or nothing of it is.
func TestAPackIsWholeOrNotThere(t *testing.T) {
	s := closed(t)
	parent := t.TempDir()
	dir := filepath.Join(parent, "pack")
	if err := write(s, dir, 20260228, auditpack.Folder); !errors.Is(err, auditpack.ErrNothing) {
		t.Errorf("before the first certified day: %v", err)
	}
	err := write(s, dir, 20260301, func(name string) (auditpack.Dir, error) {
		d, err := auditpack.Folder(name)
		return full{d}, err
	})
	if err == nil {
		t.Error("a full disk is no error")
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
	if err := write(s, dir, 20260301, auditpack.Folder); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{auditpack.ListFile, auditpack.SignatureFile, auditpack.KeysFile, auditpack.ReadmeFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := write(s, dir, 20260301, auditpack.Folder); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("over another pack: %v", err)
	}
}
