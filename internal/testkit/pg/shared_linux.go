package pg

import (
	"slices"
	"sync"
	"testing"
)

// shared is the server of this process that [Shared] hands out.
var shared struct {
	sync.Mutex
	will    bool // Main will end it
	cluster *Cluster
	ends    []func() // what ends it, in the order of beginning
}

// Main runs the tests of a package whose tests share a server, and ends that server. It
// is called by TestMain and returns the exit status.
func Main(m *testing.M) int {
	shared.will = true
	status := m.Run()
	shared.Lock()
	defer shared.Unlock()
	for _, end := range slices.Backward(shared.ends) {
		end()
	}
	return status
}

// Shared returns a server that the tests of this package share, and starts it when it is
// the first to ask. It must not be killed; the package's TestMain calls [Main].
func Shared(t testing.TB) *Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.will {
		t.Fatal("who shares a server must have a TestMain that calls pg.Main")
	}
	if shared.cluster == nil {
		shared.cluster = Start(outliving{t})
	}
	return shared.cluster
}

// outliving is a test that is over before what it began.
type outliving struct{ testing.TB }

// Cleanup is called under the lock of shared, by Start.
func (outliving) Cleanup(end func()) { shared.ends = append(shared.ends, end) }
