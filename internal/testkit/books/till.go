package books

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Adjust gives an account points, or takes them.
func (h *HQ) Adjust(account uuid.UUID, points int64) error {
	return h.Ledger.Adjust(context.Background(), entry.HQAdjustment{Account: account, Unit: "points", Amount: points, Reason: 1})
}

// Till is a terminal with its journal in memory.
type Till struct {
	ID      uuid.UUID
	Store   uuid.UUID
	State   string
	Entries [][]byte
	Hashes  []journal.Hash

	hq     *HQ
	signer keys.Signer
	at     time.Time
	sales  int
	clones string // tells apart the sales of clones
}

// Till returns a new terminal of HQ with its first entry written.
func (h *HQ) Till(t Failer, name string) *Till {
	seed := uuid.NewSHA1(h.ID, []byte("key "+name))
	signer, err := keys.NewSigner(keys.Public{}, append(seed[:], seed[:]...))
	if err != nil {
		t.Fatalf("make key: %v", err)
	}
	till := &Till{
		ID: uuid.NewSHA1(h.ID, []byte("terminal "+name)), Store: uuid.NewSHA1(h.ID, []byte("store "+name)),
		State: ingest.StateEnrolled, hq: h, signer: signer, at: h.Clock.Now(),
	}
	h.mu.Lock()
	h.tills[till.ID] = till.Terminal()
	h.mu.Unlock()
	till.Write(t, entry.KindEnrolled, entry.Enrolled{Terminal: till.ID, Store: till.Store, Epoch: 1, PublicKey: signer.Public.Key, HQ: h.ID})
	return till
}

// Clone returns a copy that goes on by itself, as of a copied disk.
func (t *Till) Clone() *Till {
	c := *t
	c.clones += "'"
	c.Entries = append([][]byte(nil), t.Entries...)
	c.Hashes = append([]journal.Hash(nil), t.Hashes...)
	return &c
}

// Head signs the till's head as it shows it to other lanes.
func (t *Till) Head(f Failer) wire.SignedHead {
	at := len(t.Hashes)
	signed, err := wire.SignHead(t.signer, wire.Head{
		V: wire.Version, Terminal: t.ID, Epoch: 1, Seq: uint64(at), Hash: t.Hashes[at-1][:], HLC: uint64(clock.NewStamp(t.at, 0)),
	})
	if err != nil {
		f.Fatalf("sign head: %v", err)
	}
	return signed
}

// HeadAt signs a head of the till's choice, whatever its journal says.
func (t *Till) HeadAt(f Failer, seq uint64, hash byte) wire.SignedHead {
	signed, err := wire.SignHead(t.signer, wire.Head{
		V: wire.Version, Terminal: t.ID, Epoch: 1, Seq: seq, Hash: bytes.Repeat([]byte{hash}, len(journal.Hash{})), HLC: uint64(clock.NewStamp(t.at, 0)),
	})
	if err != nil {
		f.Fatalf("sign head: %v", err)
	}
	return signed
}

// Terminal is the till as ingest is told of it.
func (t *Till) Terminal() ingest.Terminal {
	return ingest.Terminal{ID: t.ID, Store: t.Store, Epoch: 1, PublicKey: ed25519.PublicKey(t.signer.Public.Key), State: t.State}
}

// ShutOut has HQ know the till as revoked: what it delivers from then on is not proven.
func (t *Till) ShutOut() {
	t.hq.mu.Lock()
	defer t.hq.mu.Unlock()
	t.State = string(fleet.StateRevoked)
	t.hq.tills[t.ID] = t.Terminal()
}

// Skip lets time pass at the till.
func (t *Till) Skip(d time.Duration) { t.at = t.at.Add(d) }

// Write appends an entry of the terminal.
func (t *Till) Write(f Failer, kind entry.Kind, body any) {
	t.WriteOn(f, entry.DateOf(t.at.Add(time.Second)), kind, body)
}

// WriteOn appends an entry of a business date.
func (t *Till) WriteOn(f Failer, date entry.Date, kind entry.Kind, body any) {
	t.at = t.at.Add(time.Second)
	raw, err := entry.Encode(entry.Entry{
		HLC: clock.NewStamp(t.at, 0), OccurredAt: t.at.UnixMilli(), BusinessDate: date, Kind: kind,
	}, body)
	if err != nil {
		f.Fatalf("encode entry: %v", err)
	}
	t.WriteRaw(raw)
}

// WriteRaw appends bytes as an entry.
func (t *Till) WriteRaw(raw []byte) {
	prev := journal.Genesis
	if n := len(t.Hashes); n > 0 {
		prev = t.Hashes[n-1]
	}
	t.Entries = append(t.Entries, raw)
	t.Hashes = append(t.Hashes, journal.HashEntry(journal.Writer{ID: t.ID, Epoch: 1}, uint64(len(t.Entries)), prev, raw))
}

// Sell writes a sale of an account that earns by Rules and redeems points, and
// returns its id.
func (t *Till) Sell(f Failer, account uuid.UUID, total, redeem int64) uuid.UUID {
	sale := t.Sale(f, account, total, redeem)
	t.Write(f, entry.KindSale, sale)
	return sale.ID
}

// Sale makes the body of a sale without writing it. A redeemed point is worth a cent.
func (t *Till) Sale(f Failer, account uuid.UUID, total, redeem int64) entry.Sale {
	t.sales++
	name := strconv.Itoa(len(t.Entries)) + "/" + strconv.Itoa(t.sales) + t.clones
	sale := entry.Sale{
		ID: uuid.NewSHA1(t.ID, []byte(name)), Account: account, Total: entry.Money{Currency: "EUR", Minor: total}, RuleSet: 1, Policy: 1, Key: name,
	}
	if redeem > 0 {
		sale.Redeemed = []entry.Redemption{{Unit: "points", Amount: redeem, Basis: entry.BasisStandIn, Discount: min(redeem, total)}}
	}
	if account == uuid.Nil {
		return sale
	}
	earned, err := loyalty.Earn(Rules, loyalty.Basket{Currency: "EUR", Total: total}, min(redeem, total), t.at.Add(time.Second).UnixMilli())
	if err != nil {
		f.Fatalf("earn: %v", err)
	}
	for _, e := range earned {
		sale.Earned = append(sale.Earned, entry.Earning(e))
	}
	return sale
}

// Basket makes the body of a sale of these lines under a rule set that earns on
// them and redeems points, without writing it. A redeemed point is worth a cent.
func (t *Till) Basket(f Failer, account uuid.UUID, rules loyalty.RuleSet, redeem int64, lines ...entry.Line) entry.Sale {
	basket := loyalty.Basket{Currency: "EUR"}
	for _, l := range lines {
		basket.Total += l.Amount
		basket.Lines = append(basket.Lines, loyalty.Line{No: l.No, SKU: l.SKU, Quantity: l.Quantity, Amount: l.Amount, Category: l.Category})
	}
	sale := t.Sale(f, account, basket.Total, redeem)
	sale.RuleSet, sale.Lines, sale.Earned = rules.Version, lines, nil
	earned, err := loyalty.Earn(rules, basket, min(redeem, basket.Total), t.at.Add(time.Second).UnixMilli())
	if err != nil {
		f.Fatalf("earn: %v", err)
	}
	for _, e := range earned {
		sale.Earned = append(sale.Earned, entry.Earning(e))
	}
	return sale
}

// Return writes a return. Its id and key are filled in.
func (t *Till) Return(f Failer, r entry.Return) {
	t.sales++
	name := "return " + strconv.Itoa(t.sales) + t.clones
	r.ID, r.Key, r.Refund.Currency = uuid.NewSHA1(t.ID, []byte(name)), name, "EUR"
	t.Write(f, entry.KindReturn, r)
}

// Void writes a void of a sale.
func (t *Till) Void(f Failer, sale, account uuid.UUID) {
	t.sales++
	t.Write(f, entry.KindVoid, entry.Void{
		ID: uuid.NewSHA1(t.ID, []byte("void "+strconv.Itoa(t.sales))), Sale: sale, Account: account, Reason: entry.VoidCashier, Key: strconv.Itoa(t.sales),
	})
}

// Batch is the signed run of the entries from first to last, counted from 1.
func (t *Till) Batch(first, last int) wire.Batch {
	prev := journal.Genesis
	if first > 1 {
		prev = t.Hashes[first-2]
	}
	head := t.Hashes[last-1]
	cp := journal.SignCheckpoint(t.signer, journal.Writer{ID: t.ID, Epoch: 1}, uint64(first), journal.Head{Seq: uint64(last), Hash: head})
	return wire.Batch{
		V: wire.Version, Terminal: t.ID, Epoch: 1, First: uint64(first), Prev: append([]byte(nil), prev[:]...),
		Entries: t.Entries[first-1 : last], Head: append([]byte(nil), head[:]...), Signature: cp.Signature,
	}
}

// Export writes runs of entries into an export file, with or without its end.
func (t *Till) Export(w io.Writer, runs [][2]int, end bool) error {
	x, err := wire.NewExport(w, t.ID, 1, nil)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := x.Batch(t.Batch(run[0], run[1])); err != nil {
			return err
		}
	}
	if !end {
		return nil
	}
	return x.End(t.signer)
}

// At is the till as it talks to another HQ.
func (t *Till) At(hq *HQ) *Till {
	c := *t
	c.hq = hq
	return &c
}

// Now is the till's time.
func (t *Till) Now() time.Time { return t.at }

// Push sends the entries from first to last and returns the receipt. HQ's clock
// follows a till that is less than an hour ahead.
func (t *Till) Push(first, last int) ([]byte, error) {
	if ahead := t.at.Sub(t.hq.Clock.Now()); ahead > 0 && ahead < time.Hour {
		t.hq.Clock.Advance(ahead)
	}
	return t.hq.Ingest.Push(context.Background(), t.Terminal(), t.Batch(first, last), t.hq.Clock.Now())
}

// Sync sends everything from first on, in batches.
func (t *Till) Sync(f Failer, first int) {
	for first <= len(t.Entries) {
		last := min(first+wire.MaxBatchEntries-1, len(t.Entries))
		if _, err := t.Push(first, last); err != nil {
			f.Fatalf("push %d to %d: %v", first, last, err)
		}
		first = last + 1
	}
}
