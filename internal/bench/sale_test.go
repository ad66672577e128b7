package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// clients is how many sell at once in sale_commit_32.
const clients = 32

var receipts atomic.Int64

// members is how many shoppers there are: a till serves another one each time, and
// what one has bought here since HQ was heard is added up for each sale.
const members = 256

// shop is a lane cut off from its HQ, and members, more than clients: clients of one
// member would wait for each other, since a member's points are decided one sale
// after the other.
type shop struct {
	lane     *stage.Lane
	shoppers []stage.Shopper
}

// sell quotes and commits one sale of client n: two calls, one entry.
func (s *shop) sell(t *testing.T, n int) {
	receipt := fmt.Sprintf("B%08d", receipts.Add(1))
	_, err := s.lane.Sell(t.Context(), receipt, edgeclient.QuoteRequest{
		Code: s.shoppers[n].Code, Currency: stage.Currency, Total: 12_34,
	})
	if err != nil {
		t.Error(err)
	}
}

// open enrols a lane and its members, cuts it off, and has it run the binaries of
// bin.
func open(t *testing.T, bin process.Binaries) *shop {
	t.Helper()
	s, err := stage.New(t.Context(), shipped(t), t.TempDir(), nil)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close(context.Background())) })
	_, err = s.OpenProgramme(t.Context(), stage.DefaultPolicy)
	must(t, err)
	_, lanes, err := s.AddStore(t.Context(), oneStore, "lane1")
	must(t, err)
	names := make([]string, members)
	for i := range names {
		names[i] = fmt.Sprintf("shopper %d", i)
	}
	out := &shop{lane: lanes[0]}
	out.shoppers, err = s.EnrolMany(t.Context(), names, 0)
	must(t, err)
	for _, who := range out.shoppers {
		must(t, out.lane.AwaitMember(t.Context(), who.Code, stage.Points, 0))
	}
	s.WAN.Cut()
	must(t, out.lane.Stop(t.Context()))
	out.lane.Use(bin)
	must(t, out.lane.Start(t.Context()))
	for n := range clients {
		out.sell(t, n)
	}
	return out
}

var oneStore = hqclient.Store{Code: "s1", Name: "One", TimeZone: "Europe/Berlin", Currency: stage.Currency}

func shipped(t *testing.T) process.Binaries {
	t.Helper()
	bin, err := process.Build(t.Context(), t.TempDir(), "edge", "hq")
	must(t, err)
	return bin
}

// concurrently lets n clients sell for a while and returns sales a second.
func concurrently(t *testing.T, shop *shop, n int) float64 {
	var sold atomic.Int64
	began := time.Now()
	var all sync.WaitGroup
	for client := range n {
		all.Go(func() {
			for time.Since(began) < measured && !t.Failed() {
				shop.sell(t, client)
				sold.Add(1)
			}
		})
	}
	all.Wait()
	return float64(sold.Load()) / time.Since(began).Seconds()
}

// saleCommit32 holds 32 clients against one: with a sync that takes 5 ms, as on a
// till's flash, and on the bare disk.
func saleCommit32(t *testing.T) []benchtable.Result {
	slow := open(t, slowEdge(t))
	many, one := paired(
		func() float64 { return concurrently(t, slow, clients) },
		func() float64 { return concurrently(t, slow, 1) },
	)
	bare := open(t, shipped(t))
	var cpu []float64
	bareMany, bareOne := paired(
		func() float64 {
			before := cpuTime(t, bare.lane.Process().PID())
			began := time.Now()
			got := concurrently(t, bare, clients)
			sales := got * time.Since(began).Seconds()
			cpu = append(cpu, float64((cpuTime(t, bare.lane.Process().PID())-before).Microseconds())/sales)
			return got
		},
		func() float64 { return concurrently(t, bare, 1) },
	)
	return []benchtable.Result{
		benchtable.Against("sale_commit_32", "sales/s", many, one, benchtable.RatioAtLeast(10)),
		benchtable.Against("sale_commit_32_bare_disk", "sales/s", bareMany, bareOne, benchtable.Target{}),
		benchtable.Alone("sale_cpu_32_bare_disk", "µs/sale", benchtable.Median(cpu), benchtable.Target{}),
	}
}

const syncFile = "sync/journal/sync_linux.go"

// slowEdge builds an edge whose every sync takes 5 ms longer.
func slowEdge(t *testing.T) process.Binaries {
	t.Helper()
	root, err := process.ModuleRoot(t.Context())
	must(t, err)
	source, err := os.ReadFile(filepath.Join(root, syncFile))
	must(t, err)
	const call = "unix.Fdatasync(int(f.Fd()))"
	if strings.Count(string(source), call) != 1 {
		t.Fatalf("%s no longer has the one call %s to slow down", syncFile, call)
	}
	slow := strings.Replace(string(source), call, "slowly(f)", 1)
	slow = strings.Replace(slow, `"os"`, "\"os\"\n\t\"time\"", 1) +
		"\nfunc slowly(f *os.File) error {\n\ttime.Sleep(5 * time.Millisecond)\n\treturn " + call + "\n}\n"
	bin, err := process.BuildBroken(t.Context(), t.TempDir(), map[string]string{syncFile: slow}, "edge")
	must(t, err)
	return bin
}

// clockTick is the unit of processor time in /proc (proc(5)): 100 a second on
// every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// cpuTime returns the processor time a process has used.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(t, err)
	// Fields are counted from after the name, which may hold spaces.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	user, err := strconv.ParseInt(fields[11], 10, 64)
	must(t, err)
	system, err := strconv.ParseInt(fields[12], 10, 64)
	must(t, err)
	return time.Duration(user+system) * clockTick
}
