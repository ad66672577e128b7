package e2e

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/stage"
	"github.com/tallystick/tallystick/sync/wire"
)

// What slow clients may do to HQ's memory: see Limits in docs/ARCHITECTURE.md.
const (
	slowClients = 2000
	slowBytes   = 200 << 10 // of a body each, 400 MB in all
	slowMemory  = 320 << 20
)

// Two thousand clients that nobody knows each send a part of a large body and then
// nothing. HQ's memory stays within its bound, and a lane sells and syncs.
func TestSlowClientsNeitherFillHQsMemoryNorKeepLanesOut(t *testing.T) {
	s := newScene(t)
	lane := s.lane(t, "lane1")
	shoppers := s.crowd(t, names(2), 0)
	ended := s.stall(t, slowClients)
	defer ended()
	l, stop := startLoad(t.Context(), lane, shoppers, &ackList{})
	status, err := lane.Status(t.Context())
	must(t, err)
	must(t, stage.Until(t.Context(), "the lane syncs", func() (bool, error) {
		now, err := lane.Status(t.Context())
		return err == nil && now.AckedSeq > status.AckedSeq+30, nil
	}))
	if peak := peakMemory(t, s.HQ.PID()); peak > slowMemory {
		t.Errorf("HQ held %d MiB, at most %d", peak>>20, slowMemory>>20)
	} else {
		t.Logf("HQ held %d MiB at most, with %d slow clients", peak>>20, slowClients)
	}
	stop()
	ended()
	s.checkAfterFaults(t, []*stage.Lane{lane}, []*load{l})
}

// stall opens connections that send a part of a body, and returns what ends them.
func (s *scene) stall(t *testing.T, n int) func() {
	t.Helper()
	head := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: hq\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", wire.PathPush, wire.ContentType, wire.MaxBody)
	part := make([]byte, slowBytes)
	var mu sync.Mutex
	var open []net.Conn
	var dialling sync.WaitGroup
	for i := range 20 {
		dialling.Go(func() {
			for range n / 20 {
				c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.HQ.Addr)
				if err != nil {
					t.Errorf("client of group %d: %v", i, err)
					return
				}
				mu.Lock()
				open = append(open, c)
				mu.Unlock()
				_ = c.SetWriteDeadline(time.Now().Add(5 * time.Second))
				if _, err = c.Write(head); err == nil {
					_, _ = c.Write(part) // HQ may have sent it away already
				}
			}
		})
	}
	dialling.Wait()
	var once sync.Once
	return func() {
		once.Do(func() {
			for _, c := range open {
				_ = c.Close()
			}
		})
	}
}

// peakMemory is the most memory a process ever held.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			must(t, err)
			return kB << 10
		}
	}
	t.Fatal("the system does not tell the peak of a process")
	return 0
}
