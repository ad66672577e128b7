//go:build linux

package ledger

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

const (
	// Every sale buys for 203.00, pays 3.00 of it with a coffee for 200 points, and
	// earns 200 points: whatever the order, an account that begins with 200 points is
	// never overdrawn, and has one open lot before and after.
	total, cost, discount = 203_00, 200, 300
	// step is the time between two sales of one terminal.
	step = 500 * time.Millisecond
	// since is how long ago the first sale was.
	since = 72 * time.Hour
)

// terminal is an enrolled lane with its journal in memory. It is for one goroutine
// at a time.
type terminal struct {
	office *office
	writer journal.Writer
	store  uuid.UUID
	hq     uuid.UUID
	keys   keys.Set
	signer keys.Signer
	queue  [][]byte     // entries that no batch holds yet
	head   journal.Head // of the last entry in a batch
	at     time.Time    // of the last sale
	sales  int
	nonce  string
}

// enrol makes a terminal as `edge enroll` does. lane sets its sales apart in time
// from those of the store's other lanes.
func enrol(ctx context.Context, f *office, store hqclient.Store, lane int) (*terminal, error) {
	_, code, err := f.CreateTerminal(ctx, store.ID, fmt.Sprintf("lane %d", lane))
	if err != nil {
		return nil, err
	}
	seed, err := keys.GenerateSeed(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := keys.NewSigner(keys.Public{}, seed)
	if err != nil {
		return nil, err
	}
	e, err := syncer.Enrol(ctx, f.http, f.hq.URL(), code, "bench", signer)
	if err != nil {
		return nil, err
	}
	t := &terminal{
		office: f, writer: journal.Writer{ID: e.Terminal, Epoch: e.Epoch}, store: e.Store, hq: e.HQ, keys: e.Keys,
		signer: signer, at: time.Now().Add(time.Duration(lane)*time.Millisecond - since).Truncate(time.Millisecond),
	}
	return t, t.write(entry.KindEnrolled, entry.Enrolled{
		Terminal: e.Terminal, Store: e.Store, Epoch: e.Epoch, PublicKey: signer.Public.Key, HQ: e.HQ, Software: "bench",
	})
}

func (t *terminal) write(kind entry.Kind, body any) error {
	t.at = t.at.Add(step)
	raw, err := entry.Encode(entry.Entry{
		HLC: clock.NewStamp(t.at, 0), OccurredAt: t.at.UnixMilli(), BusinessDate: entry.DateOf(t.at), Kind: kind,
	}, body)
	if err != nil {
		return err
	}
	t.queue = append(t.queue, raw)
	return nil
}

// open writes a sale that earns a member's first points and redeems none.
func (t *terminal) open(m hqclient.Member) error {
	return t.writeSale(m, total-discount, nil)
}

// sell writes a sale of a member with one earning and one redemption.
func (t *terminal) sell(m hqclient.Member) error {
	return t.writeSale(m, total, []entry.Redemption{{
		Reward: t.office.reward.ID, Unit: stage.Points, Amount: cost, Basis: entry.BasisStandIn, Discount: discount,
	}})
}

// writeSale writes a basket of three lines, as a till would after reading a code.
func (t *terminal) writeSale(m hqclient.Member, sum int64, redeemed []entry.Redemption) error {
	t.sales++
	receipt := "R" + strconv.Itoa(t.sales)
	key := sha256.Sum256([]byte(t.writer.String() + receipt))
	sale := entry.Sale{
		ID: uuid.Must(uuid.NewV7()), Member: m.ID, Account: m.Account, Total: entry.Money{Currency: stage.Currency, Minor: sum},
		Receipt: receipt, Cashier: "c1", RuleSet: t.office.rules.Version, Policy: t.office.policy, Freshness: entry.FreshnessStatic,
		Code: &entry.Code{Subject: m.ID, KeyID: 1, Issue: uint16(m.Issue)},
		Lines: []entry.Line{
			{No: 1, SKU: "4006381333931", Quantity: 1000, Amount: 50_00, Category: "food"},
			{No: 2, SKU: "4006381333948", Quantity: 2000, Amount: 120_00, Category: "food"},
			{No: 3, SKU: "4006381333955", Quantity: 1000, Amount: sum - 170_00, Category: "wine"},
		},
		Redeemed: redeemed, Key: receipt, KeyHash: key[:],
	}
	var off int64
	basket := loyalty.Basket{Currency: stage.Currency, Total: sum}
	for _, r := range redeemed {
		off += r.Discount
	}
	for _, l := range sale.Lines {
		basket.Lines = append(basket.Lines, loyalty.Line{No: l.No, SKU: l.SKU, Quantity: l.Quantity, Amount: l.Amount, Category: l.Category})
	}
	earned, err := loyalty.Earn(t.office.rules, basket, off, t.at.Add(step).UnixMilli())
	if err != nil {
		return err
	}
	for _, e := range earned {
		sale.Earned = append(sale.Earned, entry.Earning(e))
	}
	return t.write(entry.KindSale, sale)
}

// parcel is a batch ready to be sent, once or often.
type parcel struct {
	last journal.Head
	body []byte // compressed
	size int    // entries
}

// pack takes up to n entries off the queue into a signed and compressed batch.
func (t *terminal) pack(n int) (parcel, error) {
	entries := t.queue[:min(n, len(t.queue))]
	hashes := journal.HashRun(t.writer, t.head, entries)
	run := journal.Run{Prev: t.head, Entries: entries, Hashes: hashes}
	raw, err := wire.Marshal(syncer.NewBatch(t.signer, t.writer, run))
	if err != nil {
		return parcel{}, err
	}
	t.queue, t.head = t.queue[len(entries):], run.Last()
	return parcel{last: t.head, body: wire.Compress(raw), size: len(entries)}, nil
}

// push sends a batch and checks HQ's signed receipt for it.
func (t *terminal) push(ctx context.Context, p parcel) error {
	raw, err := t.call(ctx, wire.PathPush, p.body)
	if err != nil {
		return err
	}
	receipt, err := wire.Open[wire.Receipt](raw, wire.DomainReceipt, t.keys, time.Now())
	if err != nil {
		return err
	}
	if receipt.Terminal != t.writer.ID || receipt.Seq < p.last.Seq || receipt.Seq == p.last.Seq && !bytes.Equal(receipt.Hash, p.last.Hash[:]) {
		return fmt.Errorf("the receipt is for entry %d of %s, not %d of %s", receipt.Seq, receipt.Terminal, p.last.Seq, t.writer.ID)
	}
	return nil
}

// hello begins as a lane does that comes back: what HQ has is asked, never assumed.
func (t *terminal) hello(ctx context.Context, first, head, acked journal.Head) error {
	raw, err := wire.Marshal(wire.Hello{
		V: wire.Version, Terminal: t.writer.ID, Epoch: t.writer.Epoch, FirstSeq: first.Seq, HeadSeq: head.Seq, HeadHash: head.Hash[:],
		AckedSeq: acked.Seq, AckedHash: acked.Hash[:], Software: "bench", WallTime: time.Now().UnixMilli(),
	})
	if err != nil {
		return err
	}
	raw, err = t.call(ctx, wire.PathHello, wire.Compress(raw))
	if err != nil {
		return err
	}
	welcome, err := wire.Open[wire.Welcome](raw, wire.DomainWelcome, t.keys, time.Now())
	if err == nil && welcome.HaveSeq != acked.Seq {
		return fmt.Errorf("HQ has %d entries of %s, %d were acknowledged", welcome.HaveSeq, t.writer.ID, acked.Seq)
	}
	return err
}
