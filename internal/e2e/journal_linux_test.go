package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/powercut"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/sync/journal"
)

// The journal's power-cut test: a helper process appends on a disk of its own and
// reports each acknowledgement through a pipe; this process counts those it read
// before it cut the power, and looks for them afterwards.

var helperWriter = journal.Writer{ID: uuid.MustParse("0190e7a0-0000-7000-8000-000000000001"), Epoch: 1}

const (
	helperDir    = "TALLYSTICK_E2E_DIR"
	helperNoSync = "TALLYSTICK_E2E_NOSYNC"
	// helperSegment is small, so that cuts fall into changes of segment too.
	helperSegment = 64 << 10
	helperWriters = 4
)

// helperOptions are those of every open here; broken is the journal whose sync
// does nothing once lying is set.
func helperOptions(broken bool, lying *atomic.Bool) []journal.Option {
	opts := []journal.Option{journal.WithSegmentSize(helperSegment)}
	if !broken {
		return opts
	}
	return append(opts, journal.WithSync(func(f *os.File) error {
		if lying.Load() {
			return nil
		}
		return f.Sync()
	}))
}

// journalHelper appends until it is killed, and writes "ack SEQ HASH" to standard
// output for each entry after its append returned.
func journalHelper() error {
	broken := os.Getenv(helperNoSync) != ""
	var lying atomic.Bool
	j, err := journal.Open(context.Background(), os.Getenv(helperDir), helperWriter, helperOptions(broken, &lying)...)
	if err != nil {
		return err
	}
	// The broken build lies only once it is open, so that entries are lost and not
	// the whole journal.
	lying.Store(broken)
	fmt.Printf("ready %d\n", j.Head().Seq)
	failed := make(chan error, helperWriters)
	for range helperWriters {
		go func() {
			body := make([]byte, 300)
			for n := uint64(0); ; n++ {
				binary.BigEndian.PutUint64(body, n)
				at, err := j.Append(context.Background(), body[:40+rand.IntN(260)])
				if err != nil {
					failed <- err
					return
				}
				fmt.Printf("ack %d %s\n", at.Seq, at.Hash)
			}
		}()
	}
	return <-failed
}

// ackReader counts acknowledgements until it is closed for the fault.
type ackReader struct {
	mu    sync.Mutex
	rest  []byte
	acked map[uint64]string // sequence number to hash
	shut  bool
	first chan struct{} // closed at the first acknowledgement
}

func newAckReader() *ackReader {
	return &ackReader{acked: map[uint64]string{}, first: make(chan struct{})}
}

func (a *ackReader) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shut {
		return len(p), nil
	}
	a.rest = append(a.rest, p...)
	for {
		line, rest, found := bytes.Cut(a.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		a.rest = rest
		fields := strings.Fields(string(line))
		if len(fields) != 3 || fields[0] != "ack" {
			continue
		}
		seq, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read acknowledgement: %w", err)
		}
		if len(a.acked) == 0 {
			close(a.first)
		}
		a.acked[seq] = fields[2]
	}
}

// close ends the counting; what is read from now on was read after the fault began.
func (a *ackReader) close() map[uint64]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shut = true
	return a.acked
}

// cutOnce runs the helper on the disk for a random while, cuts the power, and
// returns what was acknowledged before.
func cutOnce(t *testing.T, disk *powercut.Disk, noSync bool) map[uint64]string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	acks := newAckReader()
	env := []string{roleVariable + "=journal", helperDir + "=" + filepath.Join(disk.Dir(), "journal")}
	if noSync {
		env = append(env, helperNoSync+"=1")
	}
	p, err := process.Start(t.Context(), process.Spec{
		Name: "journal helper", Path: self, Env: env, Log: acks,
		Ready: func(line []byte) bool { return bytes.HasPrefix(line, []byte("ready ")) },
	})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-acks.first:
	case <-p.Done():
		t.Fatalf("the helper ended early:\n%s", p.Log())
	}
	time.Sleep(time.Duration(10+rand.IntN(250)) * time.Millisecond) // when the fault strikes, not a wait for something
	acked := acks.close()
	if err := errors.Join(disk.Cut(), p.Kill(), disk.Restore(t.Context())); err != nil {
		t.Fatal(err)
	}
	return acked
}

// journalDisk makes a disk with an empty journal folder on it.
func journalDisk(t *testing.T) *powercut.Disk {
	t.Helper()
	powercut.Need(t)
	disk, err := powercut.New(t.Context(), t.TempDir(), 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := os.Mkdir(filepath.Join(disk.Dir(), "journal"), 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.Open(disk.Dir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := root.Sync(); err != nil {
		t.Fatal(err)
	}
	return disk
}

// missing opens the journal as a restart does and returns how many of the
// acknowledged entries it has not, or has with another hash.
func missing(ctx context.Context, disk *powercut.Disk, acked map[uint64]string) (lost int, err error) {
	j, err := journal.Open(ctx, filepath.Join(disk.Dir(), "journal"), helperWriter, helperOptions(false, nil)...)
	if err != nil {
		return len(acked), err
	}
	lost = len(acked)
	err = j.Each(ctx, 1, func(at journal.Head, _ []byte) error {
		if hash, ok := acked[at.Seq]; ok && hash == at.Hash.String() {
			lost--
		}
		return nil
	})
	return lost, errors.Join(err, j.Close())
}

// cutsPerDisk bounds what one disk takes: its journal grows with every cut.
const cutsPerDisk = 50

func TestG3_JournalSurvivesPowerCuts(t *testing.T) {
	t.Parallel()
	cuts, acked := count(t, "TALLYSTICK_CUTS", 50), 0
	for done := 0; done < cuts; done += cutsPerDisk {
		acked += cutOneDisk(t, min(cutsPerDisk, cuts-done))
	}
	t.Logf("journal: %d power cuts, %d entries acknowledged before them, 0 lost", cuts, acked)
}

// cutOneDisk cuts the power of one disk several times and returns how many entries
// were acknowledged meanwhile; the test ends if one is lost.
func cutOneDisk(t *testing.T, cuts int) (acked int) {
	disk := journalDisk(t)
	all := map[uint64]string{}
	for range cuts {
		for seq, hash := range cutOnce(t, disk, false) {
			all[seq] = hash
		}
		lost, err := missing(t.Context(), disk, all)
		if err != nil || lost > 0 {
			t.Fatalf("cut %d: %d of %d acknowledged entries are lost: %v", disk.Cuts(), lost, len(all), err)
		}
	}
	return len(all)
}

// The negative control: with a sync that does nothing the same cuts must lose.
func TestG3_JournalWithoutSyncLosesInPowerCuts(t *testing.T) {
	const cuts = 5
	losing, acked, lost := 0, 0, 0
	for range cuts {
		disk := journalDisk(t)
		acks := cutOnce(t, disk, true)
		n, err := missing(t.Context(), disk, acks)
		t.Logf("without sync: %d of %d acknowledged lost; open says: %v", n, len(acks), err)
		if n > 0 {
			losing++
		}
		acked, lost = acked+len(acks), lost+n
	}
	if losing < 3 {
		t.Fatalf("only %d of %d cuts lost anything: these cuts have no teeth", losing, cuts)
	}
	t.Logf("journal without sync: %d of %d acknowledged entries lost, in %d of %d cuts", lost, acked, losing, cuts)
}
