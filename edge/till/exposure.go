package till

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

// RightsHeld is what this terminal may redeem without asking anybody, all accounts
// together: rights with something left, points and uses of vouchers in them.
type RightsHeld struct {
	Count  int
	Points int64
	Uses   int64
}

// Exposure is what this terminal can cost at most until HQ hears of it: what it may
// still stand in for, or has and HQ has not applied yet; and, for each copy of its disk
// that somebody may have made, that and its rights once more.
type Exposure struct {
	Unit   string
	Points int64
	Uses   int64
	// Clones is for how many copies ClonePoints and CloneUses stand.
	Clones      int64
	ClonePoints int64
	CloneUses   int64
}

// Witness is how the terminal stands with those who know the head of its journal.
type Witness struct {
	Confirmed bool   // since this start
	Seq       uint64 // the last own head that was ever confirmed
	// Contradicted says that somebody holds another branch: the terminal redeems no more.
	Contradicted bool
	Finding      entry.WitnessFinding
	BranchSeq    uint64
}

// rightsHeld keeps the last sum of the rights held. To sum many takes long, and is not
// done all the time.
type rightsHeld struct {
	changed atomic.Bool
	mu      sync.Mutex
	sum     RightsHeld
	at      time.Duration // when it was summed
	took    time.Duration
	known   bool
}

// restFor is how many times as long as summing took a sum is left alone.
const restFor = 20

// sumRights adds up the rights held. What it tells may be a little old when there are
// very many.
func (t *Till) sumRights(ctx context.Context, now time.Time) (RightsHeld, error) {
	h := &t.rights
	h.mu.Lock()
	defer h.mu.Unlock()
	began := t.cfg.Monotonic()
	if h.known && began-h.at < h.took*restFor {
		return h.sum, nil
	}
	if h.known && !h.changed.Swap(false) && began-h.at < time.Minute {
		return h.sum, nil
	}
	sum, err := t.sumRightsNow(ctx, now)
	if err != nil {
		return RightsHeld{}, fmt.Errorf("sum rights: %w", err)
	}
	h.sum, h.at, h.took, h.known = sum, t.cfg.Monotonic(), t.cfg.Monotonic()-began, true
	return sum, nil
}

func (t *Till) sumRightsNow(ctx context.Context, now time.Time) (RightsHeld, error) {
	var sum RightsHeld
	policy := t.catalogue.Load().policy
	err := t.look(ctx, func(l look) error {
		seen := map[uuid.UUID]bool{}
		return l.scan(TableDue, nil, seqKey(uint64(max(0, now.UnixMilli()))), func(key, value []byte) error {
			list, err := decode[[]due](TableDue, value)
			if err != nil {
				return err
			}
			id := uuid.UUID(key[8:])
			for _, d := range list {
				r := right{id: id, account: d.Account, rightRow: rightRow{Unit: d.Unit, Amount: d.Amount, EndsAt: int64(seqOf(key[:8]))}}
				if err := t.reckonRight(l, &r); err != nil {
					return err
				}
				if !r.live() || !policy.Usable(r.domain(), now.UnixMilli()) {
					continue
				}
				if !seen[id] {
					sum.Count++
				}
				seen[id] = true
				if r.ofUses() {
					sum.Uses += r.left
				} else {
					sum.Points += r.left
				}
			}
			return nil
		})
	})
	return sum, err
}

// capsNow returns every cap as it stands, for no shopper in particular.
func (t *Till) capsNow(cat *catalogue, now time.Time, trusted bool) []loyalty.Cap {
	f := facts{request: loyalty.Request{
		Now: now.UnixMilli(), Policy: cat.policy, CacheAge: ageSeconds(t.cacheAge(now)), Unwitnessed: t.witness.unwitnessed(),
		StandIn: loyalty.StandIn{Freshness: loyalty.Rotating, Share: cat.shareGiven(), ClockUntrusted: !trusted},
	}}
	f.count(t.caps.sums(cat.policy.Unit))
	return f.request.Caps()
}

// exposure adds up what this terminal can cost, by the formula of the offline protocol.
func exposure(cat *catalogue, rights RightsHeld) Exposure {
	share := cat.policy.TerminalShare(cat.shareGiven())
	k := max(1, cat.policy.Rights.Clones)
	return Exposure{
		Unit: cat.policy.Unit, Points: share.Points, Uses: share.Uses, Clones: k,
		ClonePoints: k * (rights.Points + share.Points), CloneUses: k * (rights.Uses + share.Uses),
	}
}

func (w *witnesses) state() Witness {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := Witness{Confirmed: w.confirmed, Seq: w.seq}
	if b := w.branch; b != nil {
		out.Contradicted, out.Finding, out.BranchSeq = true, b.Finding, b.Seq
	}
	return out
}
