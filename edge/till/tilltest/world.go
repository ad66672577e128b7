package tilltest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// T is what a test or a property (rapid.T) has in common here.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Start is when the world begins: noon of a working day in Berlin.
var Start = time.Date(2026, time.March, 10, 11, 0, 0, 0, time.UTC)

// World is an HQ without a network, and one terminal's surroundings. Its fields may
// be changed before a till is made or a page is sent.
type World struct {
	HQ, Store uuid.UUID
	Writer    journal.Writer
	HQEpoch   uint32
	Clock     *clock.Fake
	Mono      atomic.Int64 // nanoseconds; Pass moves it with the clock
	Signer    keys.Signer
	Keys      keys.Set
	Group     keys.GroupKey
	Rules     loyalty.RuleSet
	Policy    loyalty.Policy
	Limits    till.Limits
	DayEnds   *time.Duration // an override; nil: the store says
	Mutant    till.Mutant
	Own       keys.Signer // the terminal's key; see Own
	FreeDisk  func() (int64, error)

	ids     atomic.Uint64
	version uint64
	cursor  string
}

// NewWorld makes a world where one point is earned for each 100 minor units, and
// caps are wide: 500 a sale, 1,000 a member and day, 5,000 a terminal.
func NewWorld(tb T) *World {
	tb.Helper()
	w := &World{HQEpoch: 1, Clock: clock.NewFake(Start)}
	w.HQ, w.Store = w.NewID(), w.NewID()
	w.Writer = journal.Writer{ID: w.NewID(), Epoch: 1}
	w.Own = Own(tb, w.Writer.ID)
	year := 365 * 24 * time.Hour
	signer, err := keys.NewSigner(keys.Public{
		ID: 1, Use: keys.UsePass, NotBefore: Start.Add(-year), NotAfter: Start.Add(3 * year),
	}, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		tb.Fatal(err)
	}
	w.Signer, w.Keys = signer, keys.Set{Version: 1, Keys: []keys.Public{signer.Public}}
	w.Group = keys.GroupKey{Epoch: 1, Secret: bytes.Repeat([]byte{9}, 32), NotBefore: Start.Add(-year), NotAfter: Start.Add(year)}
	w.Rules = loyalty.RuleSet{
		Version: 3, Currency: "EUR", Earn: []loyalty.EarnRule{{Unit: "points", Points: 1, Per: 100}},
	}
	w.Policy = loyalty.Policy{
		Version: 5, Unit: "points", PerSale: 500, PerMemberDay: 1000, PerTerminal: 5000,
		VouchersPerSale: 2, VouchersTerminal: 50, MaxCacheAgeSeconds: 7 * 24 * 3600, RestartCap: 1 << 40,
	}
	return w
}

// NewID returns the next id: a version 7 UUID that only counts.
func (w *World) NewID() uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], w.ids.Add(1))
	id[6], id[8] = 0x70, id[8]|0x80
	return id
}

// Pass lets time go by on both clocks.
func (w *World) Pass(d time.Duration) {
	w.Mono.Add(int64(d))
	w.Clock.Advance(d)
}

// Config returns what a till in this world is made of.
func (w *World) Config(j till.Journal, s till.State) till.Config {
	return till.Config{
		Writer: w.Writer, Store: w.Store, HQ: w.HQ, Journal: j, State: s, Clock: w.Clock,
		Monotonic: func() time.Duration { return time.Duration(w.Mono.Load()) },
		NewID:     w.NewID, FreeDisk: w.FreeDisk, Keys: w.Keys, EnrolledAt: Start.Add(-time.Hour),
		Software: "test", PublicKey: w.Own.Public.Key, Signer: w.Own, Limits: w.Limits, Mutant: w.Mutant,
		DayEnds: w.DayEnds,
	}
}

// Open makes a till and recovers it. Close it before another is opened.
func (w *World) Open(tb T, j till.Journal, s till.State) (*till.Till, till.Recovery) {
	tb.Helper()
	t, err := till.New(w.Config(j, s))
	if err != nil {
		tb.Fatal(err)
	}
	r, err := t.Recover(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return t, r
}

// Item makes a feed item of the next version.
func (w *World) Item(tb T, kind wire.ItemKind, id uuid.UUID, body any) wire.Item {
	tb.Helper()
	w.version++
	it := wire.Item{Kind: kind, ID: id, Version: w.version}
	if body != nil {
		raw, err := wire.Marshal(body)
		if err != nil {
			tb.Fatal(err)
		}
		it.Body = raw
	}
	return it
}

// Base returns the items every store has: itself, rules, policy, keys, groups.
func (w *World) Base(tb T) []wire.Item {
	return []wire.Item{
		w.Item(tb, wire.ItemStore, w.Store, wire.Store{
			ID: w.Store, Code: "B1", Name: "Berlin 1", TimeZone: "Europe/Berlin", Currency: "EUR",
		}),
		w.Item(tb, wire.ItemRuleSet, w.HQ, w.Rules), w.Item(tb, wire.ItemPolicy, w.HQ, w.Policy),
		w.Item(tb, wire.ItemKeys, w.HQ, w.Keys), w.Item(tb, wire.ItemGroups, w.HQ, wire.Groups{Keys: []keys.GroupKey{w.Group}}),
	}
}

// Page makes the feed page that follows the last one this world made.
func (w *World) Page(items ...wire.Item) wire.FeedPage {
	from := w.cursor
	w.cursor = fmt.Sprintf("c%d", w.ids.Add(1))
	return wire.FeedPage{
		V: wire.Version, HQ: w.HQ, HQEpoch: w.HQEpoch, Store: w.Store, From: from, Next: w.cursor,
		HQTime: w.Clock.Now().UnixMilli(), Items: items,
	}
}

// Restart makes the next page one from the beginning.
func (w *World) Restart() { w.cursor = "" }

// Feed sends a page with these items.
func (w *World) Feed(tb T, t *till.Till, items ...wire.Item) {
	tb.Helper()
	if err := t.ApplyFeed(context.Background(), w.Page(items...)); err != nil {
		tb.Fatal(err)
	}
}

// Member returns a member with this many free points, whose pass has issue 2.
func (w *World) Member(points int64, marks ...wire.Mark) wire.Member {
	return wire.Member{
		ID: w.NewID(), Account: w.NewID(), Issue: 2,
		Holdings: []wire.Holding{{Unit: "points", Free: points}}, Marks: marks,
	}
}

// Reward returns an active reward that costs points and gives discount.
func (w *World) Reward(cost, discount int64) loyalty.Reward {
	return loyalty.Reward{
		ID: w.NewID(), Name: fmt.Sprintf("%d off", discount), Unit: "points", Cost: cost, Discount: discount,
		Currency: "EUR", Active: true,
	}
}

// Voucher returns a voucher of a member.
func (w *World) Voucher(m wire.Member, reward loyalty.Reward, uses int64) wire.VoucherState {
	return wire.VoucherState{Voucher: loyalty.Voucher{
		ID: w.NewID(), Member: m.ID, Account: m.Account, Reward: reward.ID, Uses: uses, Left: uses,
	}}
}

// Token signs a pass that is good for a year.
func (w *World) Token(tb T, kind passtoken.Kind, subject uuid.UUID, issue uint16) passtoken.Token {
	tb.Helper()
	day, err := passtoken.DayOf(Start.AddDate(1, 0, 0))
	if err != nil {
		tb.Fatal(err)
	}
	token, err := passtoken.Issue(w.Signer, passtoken.Pass{Kind: kind, Subject: subject, Issue: issue, ExpiresOn: day})
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// Static returns a member's printed code of the newest issue.
func (w *World) Static(tb T, m wire.Member) string {
	tb.Helper()
	return w.Token(tb, passtoken.KindMember, m.ID, m.Issue).Text()
}

// Rotating returns a member's code as a phone shows it now.
func (w *World) Rotating(tb T, m wire.Member) string {
	tb.Helper()
	return passtoken.RotatingText(w.Token(tb, passtoken.KindMember, m.ID, m.Issue), w.Group, w.Clock.Now())
}

// Basket returns a basket of one line.
func Basket(total int64) loyalty.Basket {
	return loyalty.Basket{Currency: "EUR", Total: total, Lines: []loyalty.Line{
		{No: 1, SKU: "4006381333931", Quantity: 1000, Amount: total},
	}}
}

// Commit returns a commit of a request under a key; the hash follows from the key.
func Commit(key string, req till.Request) till.Commit {
	return till.Commit{Request: req, Key: key, KeyHash: sha256.Sum256([]byte(key)), Receipt: "R-" + key, Cashier: "7"}
}
