package pass

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/sync/wire"
)

const (
	// membersAtOnce bounds how many members' passes are looked at together, and so the
	// memory of a round.
	membersAtOnce = 2000
	// sweepAtOnce is the same for a sweep.
	sweepAtOnce = 2000
	// roundTime is how long a round goes on; between rounds it is asked whose turn it is.
	roundTime = time.Second
	// reissuesAtOnce bounds the codes issued anew in one round.
	reissuesAtOnce = 200
	// forgetAtOnce bounds the passes of members who left dropped in one round.
	forgetAtOnce = 500
)

// Names of what is kept of the progress.
const (
	progressSweep = "sweep"
	// progressRead counts what was published that may change any pass.
	progressRead = "catalogue"
)

// Round looks at the passes of those whom the feed has told of, at the codes to be
// issued anew, and at a part of all passes when something changed that all of them
// show. More says that there is more to do. Everything it has done is kept as it goes:
// whoever goes on after it, in this process or another, does the rest.
func (s *Service) Round(ctx context.Context) (more bool, err error) {
	until := s.o.Clock.Now().Add(roundTime)
	for {
		behind, err := s.follow(ctx)
		if err != nil {
			return false, err
		}
		late := s.o.Clock.Now().After(until)
		if behind {
			if late {
				return true, nil
			}
			continue
		}
		due, err := s.reissue(ctx)
		if err != nil {
			return false, err
		}
		ended, err := s.lapse(ctx)
		if err != nil {
			return false, err
		}
		sweeping, err := s.sweep(ctx)
		if err != nil {
			return false, err
		}
		if more := due || ended || sweeping; !more || late {
			return more, nil
		}
	}
}

// follow reads on in the feed, up to membersAtOnce members, and settles their passes.
func (s *Service) follow(ctx context.Context) (more bool, err error) {
	at, began, err := s.o.Store.PassFeed(ctx)
	if err != nil {
		return false, fmt.Errorf("read place in feed: %w", err)
	}
	heads, err := s.o.Store.FeedHeads(ctx)
	if err != nil {
		return false, fmt.Errorf("read feed heads: %w", err)
	}
	if !began || ahead(at, heads) {
		return false, s.begin(ctx, heads)
	}
	read := reading{members: map[uuid.UUID]bool{}, at: map[int]uint64{}}
	for in := range heads {
		if at[in] >= heads[in] {
			continue
		}
		if len(read.members) >= membersAtOnce {
			more = true
			break
		}
		full, err := s.readShard(ctx, in, at[in], heads[in], &read)
		if err != nil {
			return false, err
		}
		more = more || full
	}
	if len(read.at) == 0 {
		return false, nil
	}
	if read.all > 0 {
		if err := s.countAll(ctx, read.all); err != nil {
			return false, err
		}
	}
	passes, err := s.o.Store.PassesOf(ctx, sortedIDs(read.members))
	if err != nil {
		return false, fmt.Errorf("read passes: %w", err)
	}
	if err := s.settle(ctx, passes, s.o.Settings.UrgentGap); err != nil {
		return false, err
	}
	if err := s.o.Store.SetPassFeed(ctx, read.at); err != nil {
		return false, fmt.Errorf("keep place in feed: %w", err)
	}
	return more, nil
}

// ahead says that the feed is another than the one that was followed: HQ's ledger was
// rebuilt, and its positions began anew.
func ahead(at, heads feed.Heads) bool {
	for in := range heads {
		if at[in] > heads[in] {
			return true
		}
	}
	return false
}

// begin follows the feed from where it stands. What changed before, a sweep finds.
func (s *Service) begin(ctx context.Context, heads feed.Heads) error {
	if err := s.countAll(ctx, 1); err != nil {
		return err
	}
	all := map[int]uint64{}
	for in, head := range heads {
		all[in] = head
	}
	return s.o.Store.SetPassFeed(ctx, all)
}

// reading is what was read of the feed.
type reading struct {
	members map[uuid.UUID]bool
	all     int // items that may change any pass
	at      map[int]uint64
}

// readShard reads on in one shard up to its head, as far as there is room. Full says that
// there is more.
//
// head was read before the rows; a row above it was committed in between, and since
// positions commit in order so was everything below it.
func (s *Service) readShard(ctx context.Context, in int, after, head uint64, to *reading) (full bool, err error) {
	room := membersAtOnce - len(to.members)
	rows, err := s.o.Store.FeedAfter(ctx, in, after, uuid.Nil, false, room)
	if err != nil {
		return false, fmt.Errorf("read feed of shard %d: %w", in, err)
	}
	for _, r := range rows {
		if err := to.take(r); err != nil {
			return false, err
		}
		to.at[in] = r.Pos
	}
	if len(rows) < room {
		to.at[in] = max(to.at[in], head)
		return false, nil
	}
	return true, nil
}

// take notes whose passes a change of the feed may change.
func (to *reading) take(r feed.Row) error {
	switch r.Item.Kind {
	case wire.ItemMember:
		to.members[r.Item.ID] = true
	case wire.ItemVoucher:
		if r.Item.Body == nil {
			return nil
		}
		v, err := wire.Unmarshal[wire.VoucherState](r.Item.Body)
		if err != nil {
			return fmt.Errorf("read voucher %s of feed: %w", r.Item.ID, err)
		}
		to.members[uuid.UUID(v.Voucher.Member)] = true
	case wire.ItemReward, wire.ItemRuleSet, wire.ItemKeys, wire.ItemGroups:
		to.all++
	}
	return nil
}

// countAll has all passes looked at: before the place in the feed is kept, so that a stop
// between the two only looks once more.
func (s *Service) countAll(ctx context.Context, by int) error {
	if err := s.o.Store.AddPassProgress(ctx, progressRead, uint64(by)); err != nil {
		return fmt.Errorf("have all passes looked at: %w", err)
	}
	return nil
}

// sweepPlace is how far a sweep has come. Stamps name what all passes were looked at for.
type sweepPlace struct {
	Done    string    `json:"done"`
	Running string    `json:"running"`
	Shard   int       `json:"shard"`
	After   uuid.UUID `json:"after"`
}

// stamp names what all passes show: the look, the day (for what expires and when codes
// end), the catalogue, and the tiers with the day of their zone: a tier may end with it.
func (s *Service) stamp(ctx context.Context) (string, error) {
	look, err := s.o.Branding.Version(ctx)
	if err != nil {
		return "", fmt.Errorf("read brand: %w", err)
	}
	terms, err := s.o.Programme.CodeTerms()
	if err != nil {
		return "", err
	}
	read, _, err := s.o.Store.PassProgress(ctx, progressRead)
	if err != nil {
		return "", fmt.Errorf("read progress: %w", err)
	}
	tiers, err := s.o.Tiers.Ladder(ctx)
	if err != nil {
		return "", err
	}
	stamp := fmt.Sprintf("%s look %d key %d catalogue %d", s.now().Format(time.DateOnly), look, terms.KeyID, read)
	if tiers.Version > 0 {
		stamp += fmt.Sprintf(" tiers %d", tiers.Version)
	}
	if len(tiers.Levels) > 0 {
		stamp += " on " + tiers.Today.Date().Format(time.DateOnly)
	}
	return stamp, nil
}

// sweep looks at the next part of all passes, if something changed that all of them show.
func (s *Service) sweep(ctx context.Context) (more bool, err error) {
	stamp, err := s.stamp(ctx)
	if err != nil {
		return false, err
	}
	n, raw, err := s.o.Store.PassProgress(ctx, progressSweep)
	if err != nil {
		return false, fmt.Errorf("read progress: %w", err)
	}
	var at sweepPlace
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &at); err != nil {
			return false, fmt.Errorf("read progress: %w", err)
		}
	}
	if at.Running == "" {
		if at.Done == stamp {
			return false, nil
		}
		at = sweepPlace{Done: at.Done, Running: stamp}
	}
	passes, err := s.o.Store.PassesAfter(ctx, Key{at.Shard, at.After}, sweepAtOnce)
	if err != nil {
		return false, fmt.Errorf("read passes: %w", err)
	}
	if err := s.settle(ctx, passes, s.o.Settings.Gap); err != nil {
		return false, err
	}
	if len(passes) == sweepAtOnce {
		last := passes[len(passes)-1]
		at.Shard, at.After = last.Shard, last.ID
	} else {
		at = sweepPlace{Done: at.Running}
		if err := s.forget(ctx); err != nil {
			return false, err
		}
	}
	if raw, err = json.Marshal(at); err != nil {
		return false, fmt.Errorf("keep progress: %w", err)
	}
	return at.Running != "" || at.Done != stamp, s.o.Store.SetPassProgress(ctx, progressSweep, n+1, raw)
}

// lapse looks at passes on which a voucher has ended since they were looked at. What is on
// its way to another account stays and is looked at again in the next round.
func (s *Service) lapse(ctx context.Context) (more bool, err error) {
	due, err := s.o.Store.PassesEnding(ctx, s.now(), sweepAtOnce)
	if err != nil {
		return false, fmt.Errorf("read passes of vouchers that ended: %w", err)
	}
	return len(due) == sweepAtOnce, s.settle(ctx, due, s.o.Settings.UrgentGap)
}

// forget drops the passes of members who left long ago.
func (s *Service) forget(ctx context.Context) error {
	for {
		n, err := s.o.Store.ForgetErased(ctx, s.now().Add(-keptErased), forgetAtOnce)
		if err != nil {
			return fmt.Errorf("forget passes: %w", err)
		}
		if n < forgetAtOnce {
			return nil
		}
	}
}

// reissue issues codes anew whose time has come: those of members with a pass at Apple
// whose redemption was seen. A member with a printed card is left alone: it cannot take
// the new code, and two re-issues later it would be trusted less.
func (s *Service) reissue(ctx context.Context) (more bool, err error) {
	now := s.now()
	due, err := s.o.Store.ReissuesDue(ctx, now, reissuesAtOnce)
	if err != nil {
		return false, fmt.Errorf("read codes to be issued anew: %w", err)
	}
	done := map[uuid.UUID]bool{}
	for _, p := range due {
		if done[p.Member] {
			continue
		}
		done[p.Member] = true
		// Both or none: else a stop between the two issues the code twice.
		err := s.o.Store.InTx(ctx, func(ctx context.Context) error { return s.reissueOf(ctx, p.Member, now) })
		if err != nil {
			return false, err
		}
	}
	return len(due) > 0, nil // the feed tells of what was done
}

func (s *Service) reissueOf(ctx context.Context, member uuid.UUID, now time.Time) error {
	all, err := s.Of(ctx, member)
	if err != nil {
		return err
	}
	wanted, printed := false, false
	var keys []Key
	for _, p := range all {
		printed = printed || p.Channel == Printed && p.State != Voided
		wanted = wanted || s.rewrites(p)
		if !p.ReissueAt.IsZero() {
			keys = append(keys, p.Key)
		}
	}
	if wanted && !printed {
		// 65,535 re-issues are enough for a life: what cannot be raised stays.
		_, err := s.o.Programme.Update(ctx, member)
		if code := problem.CodeOf(err); err != nil && code != problem.StateConflict && code != problem.NotFound {
			return fmt.Errorf("issue code anew: %w", err)
		}
	}
	err = s.alter(ctx, keys, func(p *Pass) bool {
		p.ReissueAt, p.ReissuedAt = time.Time{}, now
		return true
	})
	if problem.CodeOf(err) == problem.NotFound {
		return nil // dropped meanwhile
	}
	return err
}
