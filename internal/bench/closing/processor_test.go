package closing

import (
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// processors measures seconds of processor time of this process and of PostgreSQL: other
// people's work on the machine changes them little.
type processors struct{ postmaster int }

func newProcessors(t *testing.T, dsn string) processors {
	t.Helper()
	at, err := url.Parse(dsn)
	must(t, err)
	text, err := os.ReadFile(filepath.Join(at.Query().Get("host"), "data", "postmaster.pid"))
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(text), "\n", 2)[0]))
	must(t, err)
	return processors{pid}
}

// spent is what both have used so far. PostgreSQL works in a process for each connection;
// what those used that have ended is in their parent's account.
func (p processors) spent(t *testing.T) float64 {
	t.Helper()
	var own syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &own))
	seconds := float64(own.Utime.Nano()+own.Stime.Nano()) / 1e9
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	must(t, err)
	const ticks = 100 // USER_HZ
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, found := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if !found || len(fields) < 15 {
			continue
		}
		number := func(i int) float64 { n, _ := strconv.ParseFloat(fields[i], 64); return n }
		pid, parent := filepath.Base(filepath.Dir(path)), int(number(1))
		switch {
		case pid == strconv.Itoa(p.postmaster):
			seconds += (number(11) + number(12) + number(13) + number(14)) / ticks
		case parent == p.postmaster:
			seconds += (number(11) + number(12)) / ticks
		}
	}
	return seconds
}
