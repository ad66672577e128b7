package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/process"
)

// builds holds the binaries of this run, each set built once.
var builds struct {
	mu      sync.Mutex
	dirs    []string
	shipped process.Binaries
	lying   process.Binaries
}

// buildDir makes a folder that goes with the run, not with a test.
func buildDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tallystick-e2e-bin-")
	must(t, err)
	builds.dirs = append(builds.dirs, dir)
	return dir
}

// binaries returns the programs as they ship.
func binaries(t *testing.T) process.Binaries {
	t.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	if builds.shipped.Dir == "" {
		// Not the test's context: the binaries are for all tests.
		b, err := process.Build(context.Background(), buildDir(t), "hq", "edge", "fleet", "verify")
		must(t, err)
		builds.shipped = b
	}
	return builds.shipped
}

// syncFile is where the journal asks the disk to keep what was written.
const syncFile = "sync/journal/sync_linux.go"

// lyingEdge returns an edge whose journal never syncs: the broken build that the
// power cuts must catch.
func lyingEdge(t *testing.T) process.Binaries {
	t.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	if builds.lying.Dir == "" {
		root, err := process.ModuleRoot(t.Context())
		must(t, err)
		source, err := os.ReadFile(filepath.Join(root, syncFile))
		must(t, err)
		const call = "unix.Fdatasync(int(f.Fd()))"
		if strings.Count(string(source), call) != 1 {
			t.Fatalf("%s no longer has the one call %s to break", syncFile, call)
		}
		broken := strings.Replace(string(source), call, "skipSync(f)", 1) +
			"\nfunc skipSync(*os.File) error { return nil }\n\nvar _ = unix.Fdatasync\n"
		b, err := process.BuildBroken(context.Background(), buildDir(t), map[string]string{syncFile: broken}, "edge")
		must(t, err)
		builds.lying = b
	}
	return builds.lying
}

// wrongHQ returns an hq in which one line of one file is another: the broken build that
// a story must catch.
func wrongHQ(t *testing.T, file, line, wrong string) process.Binaries {
	t.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	root, err := process.ModuleRoot(t.Context())
	must(t, err)
	source, err := os.ReadFile(filepath.Join(root, file))
	must(t, err)
	if strings.Count(string(source), line) != 1 {
		t.Fatalf("%s no longer has the one line %s to break", file, line)
	}
	b, err := process.BuildBroken(context.Background(), buildDir(t), map[string]string{file: strings.Replace(string(source), line, wrong, 1)}, "hq")
	must(t, err)
	return b
}

func removeBuilds() {
	builds.mu.Lock()
	defer builds.mu.Unlock()
	for _, dir := range builds.dirs {
		_ = os.RemoveAll(dir) // a temporary folder; nothing hangs on it
	}
}
