package api_test

import (
	"bytes"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

func TestAProofHoldsForOneRequestOnly(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 11)
	other := r.enrolledLane("two", 12)
	body := l.batch()
	push := func(proof string, body []byte) answer {
		return l.raw("POST", wire.PathPush, body, map[string]string{wire.HeaderProof: proof})
	}
	l.nonce = other.nonce
	rows := map[string]struct {
		proof string
		code  problem.Code
	}{
		"none":            {"", problem.ProofInvalid},
		"no JWT":          {"x", problem.ProofInvalid},
		"another body":    {l.proof(nil, "POST", wire.PathPush, []byte("x")), problem.ProofInvalid},
		"another path":    {l.proof(nil, "POST", wire.PathHello, body), problem.ProofInvalid},
		"another method":  {l.proof(nil, "GET", wire.PathPush, body), problem.ProofInvalid},
		"another HQ":      {l.proof(func(p *wire.Proof) { p.HQ = uuid.New() }, "POST", wire.PathPush, body), problem.ProofInvalid},
		"unknown epoch":   {l.proof(func(p *wire.Proof) { p.Epoch = 9 }, "POST", wire.PathPush, body), problem.ProofInvalid},
		"another lane":    {other.proof(nil, "POST", wire.PathPush, body), problem.ProofInvalid},
		"another's name":  {other.proof(func(p *wire.Proof) { p.Terminal = l.id }, "POST", wire.PathPush, body), problem.ProofInvalid},
		"no nonce":        {l.proof(func(p *wire.Proof) { p.Nonce = "" }, "POST", wire.PathPush, body), problem.ProofNonce},
		"a made up nonce": {l.proof(func(p *wire.Proof) { p.Nonce = "AAAA" }, "POST", wire.PathPush, body), problem.ProofNonce},
	}
	for name, row := range rows {
		a := push(row.proof, body)
		if a.code() != row.code {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if a.header.Get(wire.HeaderNonce) == "" {
			t.Errorf("%s: the answer has no nonce", name)
		}
	}
	good := l.proof(nil, "POST", wire.PathPush, body)
	if a := push(good, body); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	r.clock.Advance(10 * time.Minute)
	if a := push(good, body); a.code() != problem.ProofNonce {
		t.Errorf("ten minutes later: %d %s", a.status, a.body)
	}
}

func TestAJournalArrivesOnceAndShowsInTheLists(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 11)
	member := r.made("/api/v1/members", `{"alias":"Ann"}`)
	var detail struct{ Member struct{ Account uuid.UUID } }
	r.do(call{method: "GET", path: "/api/v1/members/" + member}).into(t, &detail)
	l.add(entry.KindSale, entry.Sale{
		ID: uuid.New(), Member: uuid.MustParse(member), Account: detail.Member.Account, Total: entry.Money{Currency: "EUR", Minor: 1000},
		Redeemed: []entry.Redemption{{Reward: uuid.New(), Unit: "points", Amount: 40, Basis: entry.BasisStandIn, Discount: 100}},
		Key:      "k", KeyHash: make([]byte, 32), RuleSet: 1,
	})
	hello, err := wire.Marshal(wire.Hello{
		V: wire.Version, Terminal: l.id, Epoch: l.epoch, FirstSeq: 1, HeadSeq: 2,
		HeadHash: make([]byte, 32), AckedHash: make([]byte, 32), Software: "test",
	})
	r.must(err)
	a := l.proven("POST", wire.PathHello, hello)
	welcome, err := wire.Open[wire.Welcome](a.body, wire.DomainWelcome, l.statement(), r.clock.Now())
	if err != nil || welcome.HaveSeq != 0 {
		t.Fatalf("%v, %+v, %s", err, welcome, a.body)
	}
	first := l.proven("POST", wire.PathPush, l.batch())
	receipt, err := wire.Open[wire.Receipt](first.body, wire.DomainReceipt, l.statement(), r.clock.Now())
	if err != nil || receipt.Seq != 2 || receipt.Terminal != l.id {
		t.Fatalf("%v, %+v, %s", err, receipt, first.body)
	}
	r.close()
	r.start()
	if again := l.proven("POST", wire.PathPush, l.batch()); !bytes.Equal(again.body, first.body) {
		t.Errorf("the same batch after a restart: %d %x, first %x", again.status, again.body, first.body)
	}
	for n := 1; n > 0; {
		n, err = r.ledger.Apply(t.Context())
		r.must(err)
	}
	r.showsOverdraw(l, member)
}

// showsOverdraw looks at a sale of 40 points that were not there from every side.
func (r *rig) showsOverdraw(l *lane, member string) {
	r.t.Helper()
	var list struct {
		Items []struct {
			ID, Cause, Kind, State string
			Amount                 int64
			Seq                    uint64
		}
	}
	r.do(call{method: "GET", path: "/api/v1/exceptions?cause=overdraw&state=open"}).into(r.t, &list)
	if len(list.Items) != 1 || list.Items[0].Amount != 40 {
		r.t.Fatalf("exceptions: %+v", list.Items)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/exceptions/" + list.Items[0].ID}); a.status != http.StatusOK || !strings.Contains(string(a.body), `"overdraw"`) {
		r.t.Errorf("exception: %d %s", a.status, a.body)
	}
	r.do(call{method: "GET", path: "/api/v1/entries?kind=sale&writer=" + l.id.String()}).into(r.t, &list)
	if len(list.Items) != 1 || list.Items[0].State != "applied" || list.Items[0].Seq != 2 {
		r.t.Errorf("entries: %+v", list.Items)
	}
	a := r.do(call{method: "GET", path: "/api/v1/entries/" + l.id.String() + "/1/2"})
	hlc := strconv.FormatUint(uint64(clock.NewStamp(r.clock.Now(), 1)), 10)
	if !strings.Contains(string(a.body), hlc) {
		r.t.Errorf("the entry's stamp %s was not told exactly: %s", hlc, a.body)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/members/" + member}); !strings.Contains(string(a.body), `"overdraft":40`) {
		r.t.Errorf("member: %s", a.body)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/ledger/trial-balance"}); !strings.Contains(string(a.body), `"balanced":true`) {
		r.t.Errorf("trial balance: %s", a.body)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/terminals/" + l.id.String()}); !strings.Contains(string(a.body), `"acked_seq":2`) {
		r.t.Errorf("terminal: %s", a.body)
	}
}

func TestThePolicyTimesTheTerminalsIsTheExposure(t *testing.T) {
	r := newRig(t)
	r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: policyBody})
	r.enrolledLane("one", 11)
	r.enrolledLane("two", 12)
	store := r.made("/api/v1/stores", storeBody)
	r.newTerminal(store, "never enrolled")
	if a := r.do(call{method: "GET", path: "/api/v1/status"}); !strings.Contains(string(a.body), `"points":2000`) {
		t.Errorf("%s", a.body)
	}
}

func TestTheFeedTellsWhatHQDecided(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 11)
	r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: policyBody})
	r.made("/api/v1/rewards", rewardBody)
	r.made("/api/v1/members", `{"alias":"Ann","reference":"secret number"}`)
	a := l.proven("GET", wire.PathPull+"?cursor=&wait=0", nil)
	page, err := wire.Open[wire.FeedPage](a.body, wire.DomainFeed, l.statement(), r.clock.Now())
	if err != nil {
		t.Fatalf("%v: %d %s", err, a.status, a.body)
	}
	kinds := map[wire.ItemKind]int{}
	for _, item := range page.Items {
		kinds[item.Kind]++
	}
	for _, kind := range []wire.ItemKind{wire.ItemStore, wire.ItemTerminal, wire.ItemMember, wire.ItemReward, wire.ItemPolicy, wire.ItemKeys, wire.ItemGroups} {
		if kinds[kind] != 1 {
			t.Errorf("%d items of kind %d", kinds[kind], kind)
		}
	}
	if bytes.Contains(a.body, []byte("secret number")) {
		t.Error("a member's reference left HQ")
	}
	if a := l.proven("GET", wire.PathPull+"?cursor=nonsense&wait=0", nil); a.code() != problem.CursorInvalid {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := l.proven("GET", wire.PathPull+"?wait=-1", nil); a.code() != problem.InvalidField {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// A poll that waited longer than a request may take is answered like any other.
func TestALongPollOutlastsARequest(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 11)
	r.close()
	r.requestTime = 2 * time.Second
	r.start()
	a := l.proven("GET", wire.PathPull+"?wait=0", nil)
	page, err := wire.Open[wire.FeedPage](a.body, wire.DomainFeed, l.statement(), r.clock.Now())
	r.must(err)
	if a := l.proven("GET", wire.PathPull+"?wait=3&heads=1&cursor="+page.Next, nil); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestALongPollEndsWhenHQStops(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 11)
	a := l.proven("GET", wire.PathPull+"?wait=0", nil)
	page, err := wire.Open[wire.FeedPage](a.body, wire.DomainFeed, l.statement(), r.clock.Now())
	r.must(err)
	path := wire.PathPull + "?wait=30&cursor=" + page.Next
	polled := make(chan answer, 1)
	go func() { polled <- l.proven("GET", path, nil) }()
	// The poll is under way when its contact has been noted; until then HQ would
	// refuse it, which is not what is tried here.
	start := time.Now()
	for r.server.Waiting() == 0 {
		if time.Since(start) > 10*time.Second {
			t.Fatal("the poll never came")
		}
		time.Sleep(time.Millisecond)
	}
	r.close()
	if got := <-polled; got.code() != problem.Unavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if spent := time.Since(start); spent > 5*time.Second {
		t.Errorf("stopping took %s", spent)
	}
	r.start()
}

func TestARevokedTerminalDeliversAndIsToldNothing(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 11)
	l.proven("GET", wire.PathPull, nil)
	r.do(call{method: "POST", path: "/api/v1/terminals/" + l.id.String() + "/revoke"})
	if a := l.proven("GET", wire.PathPull, nil); a.code() != problem.TerminalRevoked {
		t.Errorf("pull: %d %s", a.status, a.body)
	}
	if a := l.proven("POST", wire.PathPush, l.batch()); a.status != http.StatusOK {
		t.Errorf("push: %d %s", a.status, a.body)
	}
	old := *l
	r.do(call{method: "POST", path: "/api/v1/terminals/" + l.id.String() + "/reinstate"})
	l.code = r.freshCode(l.id)
	if a := l.enrol(21); a.status != http.StatusOK || l.epoch != 2 {
		t.Fatalf("enrol again: %d %s", a.status, a.body)
	}
	if a := l.proven("GET", wire.PathPull, nil); a.status != http.StatusOK {
		t.Errorf("pull in the new epoch: %d %s", a.status, a.body)
	}
	old.nonce = l.nonce
	if a := old.proven("GET", wire.PathPull, nil); a.code() != problem.TerminalQuarantined {
		t.Errorf("pull in the old epoch: %d %s", a.status, a.body)
	}
}

func TestBadWireInputIsNamed(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 11)
	enc, err := zstd.NewWriter(nil)
	r.must(err)
	bomb := enc.EncodeAll(make([]byte, 64<<20), nil)
	rows := map[string]struct {
		body   []byte
		header map[string]string
		code   problem.Code
	}{
		"bomb":         {bomb, map[string]string{"Content-Encoding": "zstd"}, problem.DecompressionBomb},
		"no zstd":      {[]byte("x"), map[string]string{"Content-Encoding": "zstd"}, problem.BatchInvalid},
		"gzip":         {[]byte("x"), map[string]string{"Content-Encoding": "gzip"}, problem.UnsupportedMedia},
		"JSON":         {[]byte("{}"), map[string]string{"Content-Type": "application/json"}, problem.UnsupportedMedia},
		"no CBOR":      {[]byte{0xff}, nil, problem.BatchInvalid},
		"empty":        {[]byte{}, nil, problem.BatchInvalid},
		"10 MB":        {make([]byte, 10<<20), nil, problem.BodyTooLarge},
		"old version":  {[]byte{0xa0}, nil, problem.WireVersion},
		"flipped byte": {flip(l.batch()), nil, problem.BatchInvalid},
	}
	for name, row := range rows {
		header := map[string]string{wire.HeaderProof: l.proof(nil, "POST", wire.PathPush, row.body)}
		for k, v := range row.header {
			header[k] = v
		}
		if a := l.raw("POST", wire.PathPush, row.body, header); a.code() != row.code {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.body, row.code)
		}
	}
	if a := l.proven("POST", wire.PathPush, l.batch()); a.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
}

// flip changes the last byte of the journal in a batch, leaving its frame whole.
func flip(batch []byte) []byte {
	out := bytes.Clone(batch)
	at := bytes.LastIndex(out, []byte("test"))
	out[at] ^= 1
	return out
}

// A terminal whose connection broke polls again while HQ still waits with the old
// poll.
func TestANewerPollIsAnsweredAndTheOlderSentAway(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 11)
	page, err := wire.Open[wire.FeedPage](l.proven("GET", wire.PathPull, nil).body, wire.DomainFeed, l.statement(), r.clock.Now())
	r.must(err)
	path := wire.PathPull + "?wait=20&cursor=" + page.Next
	older := make(chan answer, 1)
	twin := *l
	go func() { older <- twin.proven("GET", path, nil) }()
	for r.server.Waiting() == 0 {
		runtime.Gosched()
	}
	newer := make(chan answer, 1)
	go func() { newer <- l.proven("GET", path, nil) }()
	if a := <-older; a.code() != problem.TooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("the older: %d %s", a.status, a.body)
	}
	r.made("/api/v1/members", `{"alias":"Ann"}`)
	if a := <-newer; a.status != http.StatusOK {
		t.Errorf("the newer: %d %s", a.status, a.body)
	}
}
