package bench

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// feedHQ is an HQ with as many members as wanted and no database: it enrols one lane,
// takes its entries and gives it the feed, signed and compressed as the real one does.
// It does not look at proofs.
type feedHQ struct {
	*httptest.Server
	hq, store, terminal uuid.UUID
	statements, passes  keys.Signer
	set                 keys.Set
	members             int

	mu      sync.Mutex
	public  []byte // of the lane
	have    uint64
	head    []byte
	changes [][]wire.Item // pages after the members
	said    map[int]sent  // by page
	read    chan struct{} // has something when the lane asked for what is not there yet
	news    chan struct{} // closed when there is another page
}

// sent is what one page weighed, in bytes.
type sent struct{ items, raw, packed int }

func newFeedHQ(t *testing.T, members int) *feedHQ {
	t.Helper()
	h := &feedHQ{
		hq: uuid.New(), store: uuid.New(), terminal: uuid.New(), members: members,
		said: map[int]sent{}, read: make(chan struct{}, 1), news: make(chan struct{}),
	}
	now := time.Now()
	for i, use := range []keys.Use{keys.UseStatement, keys.UsePass} {
		signer, err := keys.NewSigner(keys.Public{
			ID: uint8(i + 1), Use: use, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		}, bytes.Repeat([]byte{byte(i + 1)}, 32))
		must(t, err)
		h.set.Keys = append(h.set.Keys, signer.Public)
		if use == keys.UsePass {
			h.passes = signer
		} else {
			h.statements = signer
		}
	}
	h.set.Version = 1
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.Close)
	return h
}

func (h *feedHQ) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "zstd" {
		body, err = wire.Decompress(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var raw []byte
	page := -1
	switch r.URL.Path {
	case wire.PathEnrol:
		raw, err = h.enrol(body)
	case wire.PathHello:
		raw, err = h.welcome()
	case wire.PathPush:
		raw, err = h.receipt(body)
	case wire.PathPull:
		raw, page, err = h.pull(r)
	default:
		err = problem.New(problem.Unavailable, "this HQ has members only")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", wire.ContentType)
	w.Header().Set(wire.HeaderNonce, "nonce")
	if r.URL.Path != wire.PathEnrol {
		packed := wire.Compress(raw)
		if page >= 0 {
			h.weigh(page, len(raw), len(packed))
		}
		w.Header().Set("Content-Encoding", "zstd")
		raw = packed
	}
	_, _ = w.Write(raw) // who asked asks again
}

func (h *feedHQ) weigh(page, raw, packed int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said[page] = sent{len(h.items(page)), raw, packed}
}

func (h *feedHQ) enrol(body []byte) ([]byte, error) {
	asked, err := wire.Unmarshal[wire.EnrolRequest](body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.public = asked.PublicKey
	return wire.Marshal(wire.Enrolment{
		V: wire.Version, HQ: h.hq, Terminal: h.terminal, Epoch: 1, Store: h.store, Keys: h.set, Name: "lane1",
		HQTime: time.Now().UnixMilli(), TimeZone: "Europe/Berlin",
	})
}

func (h *feedHQ) welcome() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return wire.Seal(h.statements, wire.DomainWelcome, wire.Welcome{
		V: wire.Version, HQ: h.hq, HQEpoch: 1, Terminal: h.terminal, Epoch: 1, HaveSeq: h.have, HaveHash: h.head,
		HQTime: time.Now().UnixMilli(),
	})
}

func (h *feedHQ) receipt(body []byte) ([]byte, error) {
	batch, err := wire.Unmarshal[wire.Batch](body)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.have, h.head = batch.Last(), batch.Head
	return wire.Seal(h.statements, wire.DomainReceipt, wire.Receipt{
		V: wire.Version, HQ: h.hq, HQEpoch: 1, Terminal: h.terminal, Epoch: 1, Seq: h.have, Hash: h.head,
		RecordedAt: time.Now().UnixMilli(),
	})
}

// pull answers the page after a cursor, which is the number of the next page.
func (h *feedHQ) pull(r *http.Request) ([]byte, int, error) {
	cursor := r.URL.Query().Get("cursor")
	at := 0
	if cursor != "" {
		var err error
		number, _, _ := strings.Cut(cursor, ".")
		if at, err = strconv.Atoi(number); err != nil {
			return nil, -1, err
		}
	}
	h.mu.Lock()
	items, news := h.items(at), h.news
	h.mu.Unlock()
	page := wire.FeedPage{
		V: wire.Version, HQ: h.hq, HQEpoch: 1, Store: h.store, From: cursor, Next: cursorOf(at + 1), More: at < h.pages(),
		HQTime: time.Now().UnixMilli(), Items: items,
	}
	if items == nil {
		select {
		case h.read <- struct{}{}:
		default:
		}
		select {
		case <-news:
		case <-r.Context().Done():
		case <-time.After(20 * time.Second):
		}
		page.Next, page.HQTime, at = cursor, time.Now().UnixMilli(), -1
	}
	raw, err := wire.Seal(h.statements, wire.DomainFeed, page)
	return raw, at, err
}

// cursorOf is as long as a cursor of HQ is: a position in each of 256 shards, here of two
// bytes. It begins with the number of the next page.
func cursorOf(page int) string {
	var positions []byte
	for shard := range 256 {
		positions = append(positions, 0x19)
		positions = binary.BigEndian.AppendUint16(positions, uint16((page*1000+shard*7919%997)/256))
	}
	return fmt.Sprintf("%d.%s", page, base64.RawURLEncoding.EncodeToString(positions))
}

// pages is how many pages of members there are; page 0 is what every store has.
func (h *feedHQ) pages() int { return (h.members + wire.MaxFeedItems - 1) / wire.MaxFeedItems }

// items are those of a page, nil when there is no such page yet.
func (h *feedHQ) items(page int) []wire.Item {
	switch {
	case page == 0:
		return h.base()
	case page > h.pages():
		if page -= h.pages() + 1; page < len(h.changes) {
			return h.changes[page]
		}
		return nil
	}
	var out []wire.Item
	for n := (page - 1) * wire.MaxFeedItems; n < min(h.members, page*wire.MaxFeedItems); n++ {
		out = append(out, h.member(n, 1, int64(n%5000)))
	}
	return out
}

// change adds a page in which some members have other points.
func (h *feedHQ) change(n int, points int64) (page int) {
	var items []wire.Item
	for i := range n {
		items = append(items, h.member(i*7919%h.members, 2+uint64(len(h.changes)), points))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changes = append(h.changes, items)
	close(h.news)
	h.news = make(chan struct{})
	return h.pages() + len(h.changes)
}

func (h *feedHQ) weight(page int) sent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.said[page]
}

func (h *feedHQ) base() []wire.Item {
	policy := loyalty.Policy{
		Version: 1, Unit: "points", PerSale: 500, PerMemberDay: 1_000, PerTerminal: 1_000_000, MaxCacheAgeSeconds: 7 * 24 * 3600, RestartCap: 1_000_000,
	}
	rules := loyalty.RuleSet{Version: 1, Currency: "EUR", Earn: []loyalty.EarnRule{{Unit: "points", Points: 1, Per: 100}}}
	return []wire.Item{
		item(wire.ItemStore, h.store, 1, wire.Store{ID: h.store, Code: "S1", Name: "Store", TimeZone: "Europe/Berlin", Currency: "EUR"}),
		item(wire.ItemRuleSet, h.hq, 1, rules), item(wire.ItemPolicy, h.hq, 1, policy), item(wire.ItemKeys, h.hq, 1, h.set),
		item(wire.ItemTerminal, h.terminal, 1, wire.Terminal{
			ID: h.terminal, Store: h.store, Name: "lane1", Epoch: 1, PublicKey: h.public, State: "enrolled",
		}),
	}
}

// member is the n-th shopper: an account of their own, an alias, one unit with one mark,
// as HQ sends one who has shopped at one terminal.
func (h *feedHQ) member(n int, version uint64, points int64) wire.Item {
	id, account := memberID(n, 1), memberID(n, 2)
	return item(wire.ItemMember, id, version, wire.Member{
		ID: id, Account: account, Alias: fmt.Sprintf("member %d", n), Issue: 1,
		Holdings: []wire.Holding{{Unit: "points", Free: points}},
		Marks:    []wire.Mark{{Terminal: memberID(n%40, 3), Epoch: 1, Seq: uint64(n)}},
	})
}

// memberID is spread like the random part of a UUIDv7 made within a month.
func memberID(n, kind int) uuid.UUID {
	var seed [8]byte
	binary.BigEndian.PutUint32(seed[:], uint32(n))
	seed[4] = byte(kind)
	id := uuid.NewSHA1(uuid.Nil, seed[:])
	binary.BigEndian.PutUint32(id[:], 0x0194_0000|uint32(id[0])<<8|uint32(id[1]))
	return id
}

func item(kind wire.ItemKind, id uuid.UUID, version uint64, body any) wire.Item {
	raw, err := wire.Marshal(body)
	if err != nil {
		panic(err) // the types of the wire
	}
	return wire.Item{Kind: kind, ID: id, Version: version, Body: raw}
}

// code is the pass of the n-th shopper.
func (h *feedHQ) code(t *testing.T, n int) string {
	t.Helper()
	day, err := passtoken.DayOf(time.Now().AddDate(0, 1, 0))
	must(t, err)
	token, err := passtoken.Issue(h.passes, passtoken.Pass{Kind: passtoken.KindMember, Subject: memberID(n, 1), Issue: 1, ExpiresOn: day})
	must(t, err)
	return token.Text()
}
