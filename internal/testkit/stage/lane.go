package stage

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
)

// Lane is one terminal. Its process may be down. It is for one goroutine at a
// time, except its client.
type Lane struct {
	*edgeclient.Client
	bin  process.Binaries
	log  io.Writer
	proc *process.Process
	Name string
	Data string   // its data directory
	Addr string   // "host:port" it serves on
	Env  []string // added to its environment from its next start on, as in NAME=value

	others []string // flags by which it joins the store's other lanes
	more   []string // flags besides
}

// With gives the lane flags of edge run, from its next start on, in place of those before.
func (l *Lane) With(flags ...string) { l.more = flags }

// Join has the lane listen for other lanes at lan, "host:port", and know those at the
// given addresses, from its next start on.
func (l *Lane) Join(lan string, others ...string) { l.others = edgeLAN(lan, others) }

// Enrol makes a lane in the directory data from a one-time code. hq is the address
// by which the lane will always reach HQ. It does not start the lane. log may be nil.
func Enrol(ctx context.Context, bin process.Binaries, name, data, hq, code string, log io.Writer) (*Lane, error) {
	addr, err := process.FreeAddr(ctx)
	if err != nil {
		return nil, err
	}
	l := &Lane{bin: bin, log: log, Name: name, Data: data, Addr: addr}
	_, err = process.Run(ctx, process.Spec{
		Name: "edge enroll " + name, Path: bin.Path("edge"), Args: edgeEnroll(data, hq),
		Stdin: strings.NewReader(code + "\n"), Log: log,
	})
	if err != nil {
		return nil, err
	}
	token, err := edgeclient.ReadToken(data)
	if err != nil {
		return nil, err
	}
	l.Client = edgeclient.New("http://"+addr, token)
	return l, nil
}

// Elsewhere is the same terminal as a second process on a copy of its data directory,
// serving on addr; token is that of the copy. It is not started.
func (l *Lane) Elsewhere(name, data, addr, token string) *Lane {
	return &Lane{Client: edgeclient.New("http://"+addr, token), bin: l.bin, log: l.log, Name: name, Data: data, Addr: addr}
}

// Start starts the lane and waits until it is ready.
func (l *Lane) Start(ctx context.Context) error {
	proc, err := process.Start(ctx, process.Spec{
		Name: "edge run " + l.Name, Path: l.bin.Path("edge"), Args: slices.Concat(edgeRun(l.Data, l.Addr), l.others, l.more), Env: l.Env, Log: l.log, Ready: ready,
	})
	if err != nil {
		return err
	}
	l.proc = proc
	return nil
}

// Stop ends the lane in good order. Stopping one that is down does nothing.
func (l *Lane) Stop(ctx context.Context) error {
	if l.proc == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	err := l.proc.Stop(ctx)
	l.proc = nil
	l.Client.Close()
	return err
}

// Kill ends the lane with SIGKILL.
func (l *Lane) Kill() error {
	if l.proc == nil {
		return fmt.Errorf("lane %s: %w", l.Name, errNotRunning)
	}
	err := l.proc.Kill()
	l.proc = nil
	l.Client.Close()
	return err
}

// Process returns the running process, nil when the lane is down.
func (l *Lane) Process() *process.Process { return l.proc }

// Use makes the lane run other binaries from its next start on.
func (l *Lane) Use(bin process.Binaries) { l.bin = bin }

// Export runs `edge export` into file and returns what it printed. The lane must
// be down.
func (l *Lane) Export(ctx context.Context, file string) (string, error) {
	out, err := process.Run(ctx, process.Spec{
		Name: "edge export " + l.Name, Path: l.bin.Path("edge"), Args: edgeExport(l.Data, file), Log: l.log,
	})
	return strings.TrimSpace(string(out)), err
}

// AwaitOnline waits until the lane has heard of HQ and has a page of its feed.
func (l *Lane) AwaitOnline(ctx context.Context) error {
	return Until(ctx, "lane "+l.Name+" is online", func() (bool, error) {
		s, err := l.Status(ctx)
		return err == nil && s.Online && s.CacheAge != nil, err
	})
}

// AwaitOffline waits until the lane knows that HQ is out of reach.
func (l *Lane) AwaitOffline(ctx context.Context) error {
	return Until(ctx, "lane "+l.Name+" is offline", func() (bool, error) {
		s, err := l.Status(ctx)
		return err == nil && !s.Online, err
	})
}

// AwaitDrained waits until HQ has acknowledged everything the lane has.
func (l *Lane) AwaitDrained(ctx context.Context) error {
	return Until(ctx, "lane "+l.Name+" has delivered its journal", func() (bool, error) {
		s, err := l.Status(ctx)
		return err == nil && s.Queue == 0 && s.AckedSeq == s.HeadSeq, err
	})
}

// AwaitMember waits until the lane knows the member behind a code with at least
// free points of unit.
func (l *Lane) AwaitMember(ctx context.Context, code, unit string, free int64) error {
	return Until(ctx, "lane "+l.Name+" knows the member", func() (bool, error) {
		s, err := l.Scan(ctx, code)
		return err == nil && s.Alias != "" && s.Free(unit) >= free, err
	})
}

// untilWithin bounds every wait for another process to get somewhere.
const untilWithin = 60 * time.Second

// Until asks again every 20 ms until done, and fails after a minute with what was
// waited for and the last error.
func Until(ctx context.Context, what string, done func() (bool, error)) error {
	return UntilWithin(ctx, untilWithin, what, done)
}

// UntilWithin is Until with a patience of its own.
func UntilWithin(ctx context.Context, patience time.Duration, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if err != nil {
				return fmt.Errorf("wait until %s: %w (last: %w)", what, ctx.Err(), err)
			}
			return fmt.Errorf("wait until %s: %w", what, ctx.Err())
		}
	}
}
