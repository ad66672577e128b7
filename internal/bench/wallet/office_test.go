//go:build linux

package wallet

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/phones"
	"github.com/tallystick/tallystick/internal/testkit/process"
)

// openCompany starts a real hq with a double of Apple's push service.
func openCompany(t *testing.T) *phones.Company {
	t.Helper()
	bin, err := process.Build(t.Context(), t.TempDir(), "hq")
	must(t, err)
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "hq.log"))
	must(t, err)
	company, err := phones.Open(t.Context(), bin, dir, log)
	must(t, err)
	t.Cleanup(func() {
		must(t, company.Close(context.Background()))
		must(t, log.Close())
	})
	return company
}

// bareSignatures signs on all processors for a spell, and returns signatures per second
// of the wall clock and the processor time of one.
func bareSignatures(t *testing.T, company *phones.Company) (rate float64, each time.Duration) {
	t.Helper()
	credentials, err := company.Authority.Credentials(time.Now())
	must(t, err)
	key := credentials.TLS().PrivateKey.(*rsa.PrivateKey)
	began, spent := time.Now(), processorTime(t)
	var signers sync.WaitGroup
	made := make([]int, runtime.GOMAXPROCS(0))
	for n := range made {
		signers.Go(func() {
			for time.Since(began) < spell {
				digest := sha256.Sum256([]byte{byte(n), byte(made[n])})
				if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err != nil {
					t.Error(err)
					return
				}
				made[n]++
			}
		})
	}
	signers.Wait()
	all := 0
	for _, n := range made {
		all += n
	}
	return float64(all) / time.Since(began).Seconds(), (processorTime(t) - spent) / time.Duration(all)
}
