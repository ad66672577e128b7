package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

const (
	// clockFile is where the product reads the wall clock.
	clockFile = "internal/clock/clock.go"
	// clockVariable names the file that says how far a bent clock is off.
	clockVariable = "TALLYSTICK_E2E_CLOCK"
)

// bentClock is what takes the place of time.Now in an edge built for these stories.
// The monotonic reading goes, as a jump of a real wall clock leaves it behind.
const bentClock = `

func bent() time.Time {
	now := time.Now().Round(0)
	raw, err := os.ReadFile(os.Getenv("` + clockVariable + `"))
	if err != nil {
		return now
	}
	off, err := time.ParseDuration(string(raw))
	if err != nil {
		return now
	}
	return now.Add(off)
}
`

// bentEdge builds an edge whose wall clock a file moves.
var bentEdge = sync.OnceValues(func() (process.Binaries, error) {
	ctx := context.Background()
	root, err := process.ModuleRoot(ctx)
	if err != nil {
		return process.Binaries{}, err
	}
	source, err := os.ReadFile(filepath.Join(root, clockFile))
	if err != nil {
		return process.Binaries{}, err
	}
	const call = "return time.Now()"
	if strings.Count(string(source), call) != 1 {
		return process.Binaries{}, fmt.Errorf("%s no longer has the one call %q to bend", clockFile, call)
	}
	broken := strings.Replace(string(source), call, "return bent()", 1)
	broken = strings.Replace(broken, `"time"`, "\"os\"\n\t\"time\"", 1) + bentClock
	dir, err := os.MkdirTemp("", "tallystick-e2e-bin-")
	if err != nil {
		return process.Binaries{}, err
	}
	builds.dirs = append(builds.dirs, dir)
	return process.BuildBroken(ctx, dir, map[string]string{clockFile: broken}, "edge")
})

// bentLane is a lane with a clock that can be moved, and a shopper who wants coffee.
type bentLane struct {
	*scene
	lane   *stage.Lane
	anna   stage.Shopper
	file   string
	coffee edgeclient.QuoteRequest
}

func newBentLane(t *testing.T) *bentLane {
	t.Helper()
	b := &bentLane{scene: newScene(t), file: filepath.Join(t.TempDir(), "clock")}
	b.lane = b.scene.lane(t, "lane1")
	b.anna = b.shopper(t, "Anna", 600)
	builds.mu.Lock()
	bin, err := bentEdge()
	builds.mu.Unlock()
	must(t, err)
	must(t, b.lane.Stop(t.Context()))
	b.lane.Use(bin)
	b.lane.Env = []string{clockVariable + "=" + b.file}
	b.coffee = edgeclient.QuoteRequest{
		Code: b.anna.Code, Currency: stage.Currency, Total: 20_00, Redeem: []edgeclient.Wish{{Reward: b.programme.Coffee.ID}},
	}
	return b
}

// move puts the lane's wall clock off by this much.
func (b *bentLane) move(t *testing.T, off time.Duration) {
	t.Helper()
	next := b.file + ".next"
	must(t, os.WriteFile(next, []byte(off.String()), 0o600))
	must(t, os.Rename(next, b.file))
}

// refuses waits until redeeming is refused because of the clock, then checks that
// earning goes on, at a time that is right to a few minutes.
func (b *bentLane) refuses(t *testing.T, receipt string) {
	t.Helper()
	must(t, stage.Until(t.Context(), "the lane distrusts its clock", func() (bool, error) {
		_, err := b.lane.Quote(t.Context(), b.coffee)
		return problem.CodeOf(err) == problem.ClockUntrusted, err
	}))
	sale := sell(t, b.lane, receipt, edgeclient.QuoteRequest{Code: b.anna.Code, Total: 10_00})
	if off := time.Since(sale.At); off.Abs() > 5*time.Minute {
		t.Errorf("sold at %s, which is %s off", sale.At, off)
	}
	if len(sale.Earned) != 1 || sale.Earned[0].Amount != 10 {
		t.Errorf("earned %+v", sale.Earned)
	}
}

// recovers lets HQ be heard and waits until redeeming works again.
func (b *bentLane) recovers(t *testing.T, receipt string) {
	t.Helper()
	must(t, b.WAN.Restore(t.Context()))
	must(t, stage.Until(t.Context(), "the lane trusts its clock again", func() (bool, error) {
		_, err := b.lane.Quote(t.Context(), b.coffee)
		return err == nil, err
	}))
	sale := sell(t, b.lane, receipt, b.coffee)
	if off := time.Since(sale.At); off.Abs() > 5*time.Minute {
		t.Errorf("redeemed at %s, which is %s off", sale.At, off)
	}
	b.settle(t)
}

// check holds HQ's figures against what was sold, and wants no exception.
func (b *bentLane) check(t *testing.T, points int64) {
	t.Helper()
	if got := b.free(t, b.anna); got != points {
		t.Errorf("Anna has %d points at HQ, want %d", got, points)
	}
	exceptions, err := b.Office.Exceptions(t.Context())
	must(t, err)
	if len(exceptions) != 0 {
		t.Errorf("HQ has exceptions: %+v", exceptions)
	}
}

// clockEntries counts the jumps HQ was told of.
func (b *bentLane) clockEntries(t *testing.T) int {
	t.Helper()
	entries, err := b.Office.Entries(t.Context(), terminalOf(t, b.lane))
	must(t, err)
	n := 0
	for _, e := range entries {
		if e.Kind == "clock" {
			n++
		}
	}
	return n
}

func TestG6_StartedIn1970(t *testing.T) {
	t.Parallel()
	b := newBentLane(t)
	b.WAN.Cut()
	b.move(t, -time.Duration(time.Now().Unix())*time.Second)
	must(t, b.lane.Start(t.Context()))
	b.refuses(t, "r1")
	must(t, b.lane.Stop(t.Context()))
	must(t, b.lane.Start(t.Context())) // a restart is no way round it
	b.refuses(t, "r2")
	b.recovers(t, "r3")
	b.check(t, 600+10+10-200+17)
}

func TestG6_ClockJumpsByThreeDays(t *testing.T) {
	t.Parallel()
	b := newBentLane(t)
	b.move(t, 0)
	must(t, b.lane.Start(t.Context()))
	must(t, b.lane.AwaitOnline(t.Context()))
	want := int64(600)
	for n, jump := range []time.Duration{72 * time.Hour, -72 * time.Hour} {
		b.WAN.Cut()
		must(t, b.lane.AwaitOffline(t.Context()))
		b.move(t, jump)
		b.refuses(t, "earn"+string(rune('a'+n)))
		b.recovers(t, "redeem"+string(rune('a'+n)))
		want += 10 - 200 + 17
		b.check(t, want)
		if got := b.clockEntries(t); got != n+1 {
			t.Errorf("HQ was told of %d jumps, want %d", got, n+1)
		}
	}
}
