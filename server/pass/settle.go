package pass

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
)

// lookBack is how long before a look a movement may have been recorded that caused it:
// HQ may have much to apply.
const lookBack = 48 * time.Hour

// settle looks at what passes say now. Those that say something else than they did get
// the next tags, and their phones are to be told, gap after they were told last. Passes
// are as just read; those that another has changed meanwhile are looked at again.
func (s *Service) settle(ctx context.Context, passes []Pass, gap time.Duration) error {
	for try := 0; len(passes) > 0; try++ {
		if try == maxTries {
			return fmt.Errorf("settle passes: %d were changed by others %d times", len(passes), try)
		}
		cat, err := s.catalogue(ctx)
		if err != nil {
			return err
		}
		look, err := s.o.Branding.Version(ctx)
		if err != nil {
			return fmt.Errorf("read brand: %w", err)
		}
		drafts, err := s.drafts(ctx, cat, passes)
		if err != nil {
			return err
		}
		news, err := s.news(ctx, drafts, look)
		if err != nil || len(news) == 0 {
			return err
		}
		keys, err := s.keep(ctx, news, gap)
		if err != nil {
			return fmt.Errorf("settle passes: %w", err)
		}
		if passes, err = s.o.Store.Passes(ctx, keys); err != nil {
			return fmt.Errorf("read passes: %w", err)
		}
	}
	return nil
}

// maxTries bounds how often one look is taken again.
const maxTries = 8

// change is a pass as it was and as it is to be.
type change struct {
	was, is Pass
	changed bool // what it says has
}

// news are the passes of which something is to be written.
func (s *Service) news(ctx context.Context, drafts []draft, look uint64) ([]change, error) {
	moved, err := s.movements(ctx, drafts, look)
	if err != nil {
		return nil, err
	}
	now := s.now()
	var out []change
	for _, d := range drafts {
		if d.moving {
			continue
		}
		c := change{was: d.pass, is: d.pass, changed: changedBy(d, look)}
		m := moved[d.member.Account]
		if c.changed {
			c.is.Digest, c.is.Brand = d.digest[:], look
			c.is.Modified = later(now.Truncate(time.Second), d.pass.Modified.Add(time.Second))
			c.is.CauseAt = now
			if m.RecordedAt.After(d.pass.MovedAt) {
				c.is.CauseAt = m.OccurredAt
			}
			if len(d.pass.Digest) == 0 {
				c.is.CauseAt = time.Time{} // the first look is no change
			}
		}
		rewrite := s.rewrites(d.pass) && m.RedeemedAt.After(d.pass.MovedAt)
		if rewrite && d.pass.ReissueAt.IsZero() {
			c.is.ReissueAt = later(now.Add(s.o.Settings.ReissueAfter), d.pass.ReissuedAt.Add(s.o.Settings.ReissueGap))
		}
		c.is.NextAt = d.next
		switch {
		case c.changed || rewrite:
			c.is.MovedAt = later(m.RecordedAt, d.pass.MovedAt)
			out = append(out, c)
		case !d.next.Equal(d.pass.NextAt):
			out = append(out, c) // nothing to tell a phone
		}
	}
	return out, nil
}

func changedBy(d draft, look uint64) bool {
	return !bytes.Equal(d.digest[:], d.pass.Digest) || d.pass.Brand != look
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rewrites says whether a redemption is followed by a new code on this pass.
func (s *Service) rewrites(p Pass) bool {
	return s.o.Settings.Reissue && p.Channel == Apple && p.State == Installed && p.Voucher == uuid.Nil
}

// movements is what was last recorded of the accounts whose passes change, or may be
// rewritten.
func (s *Service) movements(ctx context.Context, drafts []draft, look uint64) (map[uuid.UUID]Movement, error) {
	accounts := map[uuid.UUID]bool{}
	for _, d := range drafts {
		if d.member.ID != uuid.Nil && (s.rewrites(d.pass) || changedBy(d, look)) {
			accounts[d.member.Account] = true
		}
	}
	if len(accounts) == 0 {
		return nil, nil
	}
	keys := make([]ledger.AccountKey, 0, len(accounts))
	for _, id := range sortedIDs(accounts) {
		keys = append(keys, ledger.AccountKey{Shard: shard.Of(id), Account: id})
	}
	rows, err := s.o.Books.Movements(ctx, keys, s.now().Add(-lookBack))
	if err != nil {
		return nil, fmt.Errorf("read movements: %w", err)
	}
	out := make(map[uuid.UUID]Movement, len(rows))
	for _, m := range rows {
		out[m.Account] = m
	}
	return out, nil
}

// keep writes changes with tags of their own and puts their phones into the queue. It
// returns the passes that are not as they were read.
func (s *Service) keep(ctx context.Context, news []change, gap time.Duration) (again []Key, err error) {
	keys := make([]Key, len(news))
	for i, c := range news {
		keys[i] = c.was.Key
	}
	err = s.o.Store.InTx(ctx, func(ctx context.Context) error {
		again = nil
		head, err := s.o.Store.AdvanceTags(ctx, len(news))
		if err != nil {
			return fmt.Errorf("advance tags: %w", err)
		}
		current, err := s.o.Store.Passes(ctx, keys)
		if err != nil {
			return err
		}
		now := make(map[Key]Pass, len(current))
		for _, p := range current {
			now[p.Key] = p
		}
		var saved, told []Pass
		tag := head - uint64(len(news))
		for _, c := range news {
			p, exists := now[c.was.Key]
			switch {
			case !exists:
				continue
			case p.Tag != c.was.Tag || p.State != c.was.State || !p.ReissueAt.Equal(c.was.ReissueAt) || !p.MovedAt.Equal(c.was.MovedAt) || !p.NextAt.Equal(c.was.NextAt):
				again = append(again, p.Key)
				continue
			}
			if c.changed {
				tag++
				c.is.Tag = tag
				told = append(told, c.is)
			}
			saved = append(saved, c.is)
		}
		if err := s.o.Store.SavePasses(ctx, saved); err != nil {
			return err
		}
		return s.want(ctx, told, gap)
	})
	return again, err
}

// want puts who has changed passes into the queue: phones, or the object at a channel.
func (s *Service) want(ctx context.Context, changed []Pass, gap time.Duration) error {
	var pushes []Push
	var onPhones []Key
	tags := make(map[Key]uint64, len(changed))
	for _, p := range changed {
		switch p.Channel {
		case Apple:
			onPhones = append(onPhones, p.Key)
			tags[p.Key] = p.Tag
		default:
			if p.Channel != Google && s.wallet(p.Channel) == nil {
				continue
			}
			pushes = append(pushes, Push{Shard: p.Shard, Target: p.ID[:], Channel: p.Channel, Token: p.Serial(), Wanted: p.Tag, DueAt: s.now(), Gap: gap})
		}
	}
	registrations, err := s.o.Store.Registrations(ctx, onPhones)
	if err != nil {
		return fmt.Errorf("read registrations: %w", err)
	}
	phones := map[[32]byte]int{}
	for _, r := range registrations {
		i, seen := phones[r.Device]
		if !seen {
			phones[r.Device] = len(pushes)
			pushes = append(pushes, s.toPhone(r, tags[r.Key], gap))
			continue
		}
		pushes[i].Wanted = max(pushes[i].Wanted, tags[r.Key])
	}
	return s.o.Store.WantPushes(ctx, pushes)
}

// toPhone is a push to a phone, at once or when its gap is over.
func (s *Service) toPhone(r Registration, tag uint64, gap time.Duration) Push {
	return Push{Shard: int(r.Device[0]), Target: r.Device[:], Channel: Apple, Token: r.PushToken, Wanted: tag, DueAt: s.now(), Gap: gap}
}
