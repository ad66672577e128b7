package syncer_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

var (
	testHQ     = uuid.MustParse("0190e7a0-0000-7000-8000-0000000000a1")
	testStore  = uuid.MustParse("0190e7a0-0000-7000-8000-0000000000a2")
	testWriter = journal.Writer{ID: uuid.MustParse("0190e7a0-0000-7000-8000-0000000000a3"), Epoch: 4}
)

func testSigner(t testing.TB, id uint8, from, to time.Time) keys.Signer {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = id
	s, err := keys.NewSigner(keys.Public{ID: id, Use: keys.UseStatement, NotBefore: from, NotAfter: to}, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fakeHQ speaks the real protocol over a real socket and keeps what it was given.
type fakeHQ struct {
	t        *testing.T
	server   *httptest.Server
	terminal ed25519.PublicKey

	mu      sync.Mutex
	signer  keys.Signer
	nonce   int
	epoch   uint32
	entries [][]byte
	hashes  []journal.Hash
	pages   []wire.FeedPage // page i is the answer to cursor i ("" is 0)
	hellos  int
	claims  []journal.Head // of the hellos
	pushes  int
	sizes   []int // entries of each push
	cursors []string
	// answer, when it is set, may answer a request in HQ's place.
	answer func(w http.ResponseWriter, r *http.Request) bool
	// more answers paths that the fake does not know.
	more func(r *http.Request, body []byte) ([]byte, error)
	news chan struct{} // closed and made anew when a page is added
}

func newFakeHQ(t *testing.T, terminal ed25519.PublicKey) *fakeHQ {
	year := 365 * 24 * time.Hour
	h := &fakeHQ{
		t: t, terminal: terminal, epoch: 1, news: make(chan struct{}),
		signer: testSigner(t, 1, time.Now().Add(-year), time.Now().Add(year)),
	}
	h.server = httptest.NewServer(h)
	t.Cleanup(h.server.Close)
	return h
}

// set changes the fake under its lock.
func (h *fakeHQ) set(change func(*fakeHQ)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(h)
}

func (h *fakeHQ) have() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.entries)
}

func (h *fakeHQ) refuse(w http.ResponseWriter, err error) {
	body := problem.Render(err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(body.Status)
	_ = json.NewEncoder(w).Encode(body)
}

func (h *fakeHQ) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the connection broke
	}
	h.mu.Lock()
	answer := h.answer
	h.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	if err := h.checkProof(w, r, body); err != nil {
		h.refuse(w, err)
		return
	}
	out, err := h.handle(r, body)
	if err != nil {
		h.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", wire.ContentType)
	w.Header().Set("Content-Encoding", "zstd")
	_, _ = w.Write(wire.Compress(out))
}

// checkProof takes each nonce for three to six requests, so that every test meets
// the demand for a new one.
func (h *fakeHQ) checkProof(w http.ResponseWriter, r *http.Request, body []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer func() { w.Header().Set(wire.HeaderNonce, strconv.Itoa(h.nonce/3)) }()
	err := wire.VerifyProof(r.Header.Get(wire.HeaderProof), h.terminal, wire.Proof{
		HQ: testHQ, Terminal: testWriter.ID, Epoch: testWriter.Epoch, Method: r.Method, Path: r.URL.RequestURI(), Body: body,
	}, func(nonce string) bool {
		n, err := strconv.Atoi(nonce)
		return err == nil && n >= h.nonce/3-1
	})
	h.nonce++
	return err
}

func (h *fakeHQ) handle(r *http.Request, body []byte) ([]byte, error) {
	if r.Method == http.MethodGet {
		return h.pull(r)
	}
	raw, err := wire.Decompress(body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch r.URL.Path {
	case wire.PathHello:
		h.hellos++
		hello, err := wire.Unmarshal[wire.Hello](raw)
		if err != nil {
			return nil, err
		}
		h.claims = append(h.claims, journal.Head{Seq: hello.HeadSeq, Hash: journal.Hash(hello.HeadHash)})
		seq, hash := h.head()
		return wire.Seal(h.signer, wire.DomainWelcome, wire.Welcome{
			V: 1, HQ: testHQ, HQEpoch: h.epoch, Terminal: testWriter.ID, Epoch: testWriter.Epoch,
			HaveSeq: seq, HaveHash: hash[:], MaxEntries: 100, MaxBytes: wire.MaxBatchBytes, HQTime: time.Now().UnixMilli(),
		})
	case wire.PathPush:
		return h.push(raw)
	}
	if h.more != nil {
		return h.more(r, raw)
	}
	return nil, problem.New(problem.NotFound, r.URL.Path)
}

func (h *fakeHQ) head() (uint64, journal.Hash) {
	if len(h.hashes) == 0 {
		return 0, journal.Genesis
	}
	return uint64(len(h.hashes)), h.hashes[len(h.hashes)-1]
}

func (h *fakeHQ) push(raw []byte) ([]byte, error) {
	h.pushes++
	batch, err := wire.Unmarshal[wire.Batch](raw)
	if err != nil {
		return nil, err
	}
	h.sizes = append(h.sizes, len(batch.Entries))
	prev := journal.Head{Seq: batch.First - 1, Hash: journal.Hash(batch.Prev)}
	cp := journal.Checkpoint{Writer: testWriter, First: batch.First, Last: batch.Last(), Head: journal.Hash(batch.Head), Signature: batch.Signature}
	heads, err := journal.VerifyRun(testWriter, prev, batch.Entries, cp, h.terminal)
	if err != nil {
		return nil, problem.Wrap(problem.BatchSignature, err, "")
	}
	seq, hash := h.head()
	skip, err := journal.Compare(journal.Head{Seq: seq, Hash: hash}, prev, heads)
	var gap *journal.GapError
	if errors.As(err, &gap) {
		return nil, problem.New(problem.BatchGap, gap.Error())
	}
	if err != nil {
		return nil, problem.New(problem.JournalFork, err.Error())
	}
	for i := skip; i < len(heads); i++ {
		h.entries = append(h.entries, slices.Clone(batch.Entries[i]))
		h.hashes = append(h.hashes, heads[i])
	}
	last := heads[len(heads)-1]
	return wire.Seal(h.signer, wire.DomainReceipt, wire.Receipt{
		V: 1, HQ: testHQ, HQEpoch: h.epoch, Terminal: testWriter.ID, Epoch: testWriter.Epoch,
		Seq: batch.Last(), Hash: last[:], RecordedAt: time.Now().UnixMilli(),
	})
}

func (h *fakeHQ) pull(r *http.Request) ([]byte, error) {
	cursor := r.URL.Query().Get("cursor")
	wait, err := strconv.Atoi(r.URL.Query().Get("wait"))
	if err != nil || wait > wire.MaxWaitSeconds {
		return nil, problem.New(problem.InvalidField, "wait")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cursors = append(h.cursors, cursor)
	at, epoch := 0, h.epoch
	if cursor != "" {
		if _, err := fmt.Sscanf(cursor, "%d/%d", &epoch, &at); err != nil {
			return nil, problem.New(problem.CursorInvalid, "")
		}
	}
	if epoch != h.epoch {
		return nil, problem.New(problem.CursorExpired, "")
	}
	if at >= len(h.pages) {
		news := h.news
		h.mu.Unlock()
		select {
		case <-news:
		case <-r.Context().Done():
		case <-time.After(time.Duration(wait) * time.Second):
		}
		h.mu.Lock()
	}
	page := wire.FeedPage{Next: cursor}
	if at < len(h.pages) {
		page = h.pages[at]
		page.Next = fmt.Sprintf("%d/%d", h.epoch, at+1)
	}
	page.V, page.HQ, page.HQEpoch, page.Store, page.From, page.HQTime = 1, testHQ, h.epoch, testStore, cursor, time.Now().UnixMilli()
	return wire.Seal(h.signer, wire.DomainFeed, page)
}

func (h *fakeHQ) addPage(items ...wire.Item) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages = append(h.pages, wire.FeedPage{Items: items})
	close(h.news)
	h.news = make(chan struct{})
}
