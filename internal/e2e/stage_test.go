package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// scene is one HQ with one store, a programme, and whoever a story needs.
type scene struct {
	*stage.Stage
	store     hqclient.Store
	programme stage.Programme
}

var corner = hqclient.Store{Code: "corner", Name: "Corner", TimeZone: "Europe/Berlin", Currency: stage.Currency}

// newScene starts an HQ with a programme under the default caps and one store
// without lanes, and env added to the environment of every hq. Everything ends with the
// test; a failed test shows the logs.
func newScene(t *testing.T, env ...string) *scene {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "processes.log")
	log, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := stage.New(t.Context(), binaries(t), dir, log, env...)
	if err != nil {
		t.Fatal(err)
	}
	sc := &scene{Stage: s}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		_ = log.Close() // a log of a test
		if t.Failed() {
			showEnd(t, name)
		}
	})
	if sc.programme, err = s.OpenProgramme(t.Context(), stage.DefaultPolicy); err != nil {
		t.Fatal(err)
	}
	if sc.store, err = s.Office.CreateStore(t.Context(), corner); err != nil {
		t.Fatal(err)
	}
	return sc
}

// shownLog is how much of a log a failed test shows, in bytes.
const shownLog = 16 << 10

func showEnd(t *testing.T, name string) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Error(err)
		return
	}
	t.Logf("end of the processes' log:\n%s", raw[max(0, len(raw)-shownLog):])
}

// lane adds a lane that runs, with its data in a folder of the test.
func (s *scene) lane(t *testing.T, name string) *stage.Lane {
	t.Helper()
	return s.laneIn(t, name, filepath.Join(s.Dir, name))
}

// laneIn is lane with the data in a given folder.
func (s *scene) laneIn(t *testing.T, name, data string) *stage.Lane {
	t.Helper()
	l, err := s.AddLane(t.Context(), s.store, name, data)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// shopper enrols a member with points and waits until all lanes know both.
func (s *scene) shopper(t *testing.T, alias string, points int64) stage.Shopper {
	t.Helper()
	return s.crowd(t, []string{alias}, points)[0]
}

func (s *scene) crowd(t *testing.T, aliases []string, points int64) []stage.Shopper {
	t.Helper()
	all, err := s.EnrolMany(t.Context(), aliases, points)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range s.Lanes {
		for _, one := range all {
			if err := l.AwaitMember(t.Context(), one.Code, stage.Points, points); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// sell makes a sale that must succeed.
func sell(t *testing.T, l *stage.Lane, receipt string, in edgeclient.QuoteRequest) edgeclient.Sale {
	t.Helper()
	in.Currency = stage.Currency
	sale, err := l.Sell(t.Context(), receipt, in)
	if err != nil {
		t.Fatalf("sale %s: %v", receipt, err)
	}
	return sale
}

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantCode ends the test unless err is the refusal with this code.
func wantCode(t *testing.T, what string, err error, want ...problem.Code) {
	t.Helper()
	got := problem.CodeOf(err)
	for _, w := range want {
		if err != nil && got == w {
			return
		}
	}
	t.Fatalf("%s: got %v, want the refusal %s", what, err, fmt.Sprint(want))
}

// settle waits until HQ has applied everything the running lanes have.
func (s *scene) settle(t *testing.T) {
	t.Helper()
	must(t, s.AwaitSettled(t.Context()))
}

// free returns a shopper's free points at HQ.
func (s *scene) free(t *testing.T, who stage.Shopper) int64 {
	t.Helper()
	m, err := s.Office.Member(t.Context(), who.ID)
	must(t, err)
	return m.Holding(stage.Points).Free
}
