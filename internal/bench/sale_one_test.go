package bench

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

const (
	// block is how many of a kind are made in a row. What a sale leaves to be done
	// after its answer (the cache) then competes with the next sales, not with the
	// baseline; the first of a block pays for the other kind and does not count.
	block = 20
	// blocks is how many of each kind make a round.
	blocks = 15
)

// till4 is a point of sale with one connection and as little of a client as HTTP
// allows: it is the agent that is measured.
type till4 struct {
	conn  net.Conn
	in    *bufio.Reader
	head  string
	codes []string
	sold  int
}

func newTill(t *testing.T, shop *shop) *till4 {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", shop.lane.Addr)
	must(t, err)
	out := &till4{conn: conn, in: bufio.NewReader(conn)}
	out.head = fmt.Sprintf("Host: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n", shop.lane.Addr, shop.lane.Token)
	for _, who := range shop.shoppers {
		out.codes = append(out.codes, who.Code)
	}
	for range block { // warm
		out.sell(t)
	}
	return out
}

// post makes one call and returns the answer's body.
func (c *till4) post(t *testing.T, path, key, body string) []byte {
	if key != "" {
		key = "Idempotency-Key: " + key + "\r\n"
	}
	_, err := fmt.Fprintf(c.conn, "POST %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s", path, c.head, key, len(body), body)
	must(t, err)
	resp, err := http.ReadResponse(c.in, nil)
	must(t, err)
	raw, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %d %s", path, resp.StatusCode, raw)
	}
	return raw
}

// next returns the basket of the next shopper; shoppers take turns, as at a till.
func (c *till4) next() (receipt, request string) {
	c.sold++
	code := c.codes[c.sold%len(c.codes)]
	return fmt.Sprintf("B%08d", receipts.Add(1)), `{"code":"` + code + `","currency":"` + stage.Currency + `","total":1234}`
}

// sell makes one sale in one call: the code is read and verified, the sale decided,
// journalled and answered.
func (c *till4) sell(t *testing.T) {
	receipt, request := c.next()
	c.post(t, "/v1/sales", receipt, `{"request":`+request+`,"pos_receipt":"`+receipt+`","cashier":"7"}`)
}

// quoteAndSell makes the same sale in two calls, as a till does that shows the
// shopper what it will be.
func (c *till4) quoteAndSell(t *testing.T) {
	receipt, request := c.next()
	const id = `"id":"`
	quote := string(c.post(t, "/v1/quotes", "", request))
	at := strings.Index(quote, id)
	if at < 0 {
		t.Fatalf("a quote without id: %s", quote)
	}
	c.post(t, "/v1/sales", receipt, `{"quote":"`+quote[at+len(id):at+len(id)+36]+`","pos_receipt":"`+receipt+`","cashier":"7"}`)
}

// times are what one kind took, in µs: the medians of five rounds' medians and of
// their fastest tenths. The second is what is left of the figure when others use the
// machine less.
type times struct{ p50, p10 float64 }

// interleaved lets the kinds take turns, block by block, so that all of them see the
// same load of the machine.
func interleaved(kinds ...func()) []times {
	medians, tenths := make([][]float64, len(kinds)), make([][]float64, len(kinds))
	for range rounds {
		took := make([][]float64, len(kinds))
		for range blocks {
			for k, do := range kinds {
				for n := range block {
					began := time.Now()
					do()
					if n > 0 {
						took[k] = append(took[k], float64(time.Since(began).Nanoseconds())/1e3)
					}
				}
			}
		}
		for k := range kinds {
			slices.Sort(took[k])
			medians[k] = append(medians[k], took[k][len(took[k])/2])
			tenths[k] = append(tenths[k], took[k][len(took[k])/10])
		}
	}
	out := make([]times, len(kinds))
	for k := range kinds {
		out[k] = times{benchtable.Median(medians[k]), benchtable.Median(tenths[k])}
	}
	return out
}

// saleCommit1 holds one sale at one client against one verification, one signature
// and one durable write of the same bytes.
func saleCommit1(t *testing.T) []benchtable.Result {
	shop := open(t, shipped(t))
	client := newTill(t, shop)
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	message := bytes.Repeat([]byte{7}, entryBytes)
	signature := ed25519.Sign(private, message)
	file := newRaw(t)
	write := func() { file.append(t, entryBytes+frameBytes) }
	prove := func() {
		if !ed25519.Verify(public, message, signature) {
			t.Error("a good signature does not verify")
		}
		signature = ed25519.Sign(private, message)
	}
	took := interleaved(
		func() { prove(); write() },
		func() { client.sell(t) },
		func() { client.quoteAndSell(t) },
		prove, write,
	)
	before := schedTime(t, shop.lane.Process().PID())
	sold := client.sold
	for range block * blocks {
		client.sell(t)
	}
	cpu := float64((schedTime(t, shop.lane.Process().PID()) - before).Microseconds()) / float64(client.sold-sold)
	closed(t, file, client.conn)
	return []benchtable.Result{
		benchtable.Against("sale_commit_1", "µs", took[1].p50, took[0].p50, benchtable.RatioAtMost(3)),
		benchtable.Against("sale_commit_1_p10", "µs", took[1].p10, took[0].p10, benchtable.Target{}),
		benchtable.Against("sale_quote_commit_1", "µs", took[2].p50, took[0].p50, benchtable.Target{}),
		benchtable.Alone("sale_cpu_1", "µs/sale", cpu, benchtable.Target{}),
		benchtable.Alone("verify_sign", "µs", took[3].p50, benchtable.Target{}),
		benchtable.Alone("fdatasync", "µs", took[4].p50, benchtable.Target{}),
	}
}

// schedTime returns the processor time of all threads of a process, to the
// nanosecond (/proc/PID/task/TID/schedstat).
func schedTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	must(t, err)
	var sum time.Duration
	for _, task := range tasks {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, task.Name()))
		must(t, err)
		var ran time.Duration
		_, err = fmt.Sscan(string(raw), &ran)
		must(t, err)
		sum += ran
	}
	return sum
}
