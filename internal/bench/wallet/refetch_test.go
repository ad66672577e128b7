//go:build linux

package wallet

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/phones"
	"github.com/tallystick/tallystick/internal/testkit/process"
)

const (
	// refetched is how many passes are fetched again, and askers how many ask at once.
	refetched, askers = 200, 8
	// timesEach is how often each is fetched in a round.
	timesEach = 10
)

// known is a pass as a phone has it.
type known struct {
	path, token, modified string
	body                  []byte
}

// refetchUnchanged counts what is signed when phones ask again for passes that have not
// changed, with a date and without, and how many such questions HQ answers a second. A
// signature holds the second in which it was made, so a pass signed again is another
// one: the rounds are seconds apart.
func refetchUnchanged(t *testing.T) []benchtable.Result {
	company := openCompany(t)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: askers}}
	defer client.CloseIdleConnections()
	reader := phones.NewReader(company.Authority.Roots())
	var mu sync.Mutex
	var all []*known
	must(t, company.Issue(t.Context(), refetched, func(raw []byte) error {
		bundle, err := reader.Read(raw)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, &known{path: "/wallet/apple/v1/passes/" + bundle.PassType + "/" + bundle.Serial, token: bundle.Token})
		return nil
	}))
	ask := func(k *known, since string) (*http.Response, []byte) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, company.HQ.URL()+k.path, nil)
		must(t, err)
		req.Header.Set("Authorization", "ApplePass "+k.token)
		if since != "" {
			req.Header.Set("If-Modified-Since", since)
		}
		resp, err := client.Do(req)
		must(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		return resp, body
	}
	for _, k := range all {
		resp, body := ask(k, "")
		k.modified, k.body = resp.Header.Get("Last-Modified"), body
	}
	signed := 0
	var rates, limits []float64
	health := &known{path: "/healthz"}
	for range rounds {
		time.Sleep(1100 * time.Millisecond) // the next second, of which a new signature would tell
		for _, k := range all {
			if _, body := ask(k, ""); !bytes.Equal(body, k.body) {
				signed++
			}
		}
		limits = append(limits, askAll(func(int) { ask(health, "") }))
		rates = append(rates, askAll(func(n int) {
			k := all[n%len(all)]
			if resp, body := ask(k, k.modified); resp.StatusCode != http.StatusNotModified || len(body) > 0 {
				t.Errorf("a pass that has not changed was answered %d with %d bytes", resp.StatusCode, len(body))
			}
		}))
	}
	t.Logf("load %.1f: not modified %.0f/s, answers that read nothing %.0f/s", process.Load(), rates, limits)
	return []benchtable.Result{
		benchtable.Alone("refetch_unchanged", "signatures", float64(signed), benchtable.ValueAtMost(0)),
		benchtable.Against("refetch_unchanged_rate", "answers/s", benchtable.Median(rates), benchtable.Median(limits), benchtable.Target{}),
	}
}

// askAll asks timesEach for each pass, some at a time, and returns answers a second.
func askAll(ask func(n int)) float64 {
	const questions = refetched * timesEach
	began := time.Now()
	var workers sync.WaitGroup
	for w := range askers {
		workers.Go(func() {
			for n := w; n < questions; n += askers {
				ask(n)
			}
		})
	}
	workers.Wait()
	return questions / time.Since(began).Seconds()
}
