package e2e

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/process"
)

// builds holds the binaries of this run, each set built once.
var builds struct {
	mu   sync.Mutex
	dirs []string
	done map[string]process.Binaries
}

// binaries returns the programs as they ship, or an edge built with a tag that
// breaks it.
func binaries(t *testing.T, tags ...string) process.Binaries {
	t.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	key := ""
	if len(tags) > 0 {
		key = tags[0]
	}
	if b, ok := builds.done[key]; ok {
		return b
	}
	dir, err := os.MkdirTemp("", "tallystick-e2e-bin-")
	if err != nil {
		t.Fatal(err)
	}
	builds.dirs = append(builds.dirs, dir)
	names := []string{"hq", "edge", "fleet"}
	if key != "" {
		names = []string{"edge"}
	}
	// Not the test's context: the binaries are for all tests.
	b, err := process.Build(context.Background(), dir, tags, names...)
	if err != nil {
		t.Fatal(err)
	}
	if builds.done == nil {
		builds.done = map[string]process.Binaries{}
	}
	builds.done[key] = b
	return b
}

func removeBuilds() {
	builds.mu.Lock()
	defer builds.mu.Unlock()
	for _, dir := range builds.dirs {
		_ = os.RemoveAll(dir) // a temporary folder; nothing hangs on it
	}
}
