package syncer

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// pullLoop asks HQ for what has changed, and lets HQ hold the question open while
// nothing has.
func (s *Service) pullLoop(ctx context.Context) {
	wait := backoff{base: s.timing.BackoffBase, limit: s.timing.BackoffLimit, random: s.cfg.Random}
	cursor, epoch := s.cfg.Till.Cursor(), uint32(0)
	for {
		began := s.cfg.Clock.Now()
		page, err := s.pull(ctx, cursor)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if code := problem.CodeOf(err); code == problem.CursorExpired || code == problem.CursorInvalid {
				cursor = "" // HQ was restored, or no longer knows where that was
			}
			if problem.CodeOf(err) == problem.ProofInvalid {
				signal(s.again) // HQ may have lost this terminal; a hello shows it the enrolment
			}
			if !s.pullFailed(ctx, err, &wait) {
				return
			}
			continue
		}
		if wait.failures > 0 || page.HQEpoch != epoch {
			signal(s.again)
		}
		wait.reset()
		quiet := page.Next == cursor && !page.More
		cursor, epoch = page.Next, page.HQEpoch
		// An HQ that does not hold the question open must not be asked without pause.
		if spare := s.timing.BackoffBase - s.cfg.Clock.Now().Sub(began); quiet && spare > 0 && !pause(ctx, spare, nil) {
			return
		}
	}
}

// pullFailed notes a failure and waits. It reports false when ctx has ended.
func (s *Service) pullFailed(ctx context.Context, err error, wait *backoff) bool {
	mode := modeOf(err)
	if mode == ModeForked {
		mode = ModeRefused // only the comparison of heads says so
	}
	s.board.failed(err, mode)
	s.cfg.Log.Warn("pull failed", "mode", mode, "error", err)
	var early <-chan struct{}
	if mode == ModeOffline {
		early = s.board.back()
	}
	return pause(ctx, wait.next(retryAfterOf(err)), early)
}

// pull fetches one page and hands it to the till.
func (s *Service) pull(ctx context.Context, cursor string) (wire.FeedPage, error) {
	query := url.Values{
		"cursor": {cursor},
		"wait":   {strconv.Itoa(int(s.timing.PollWait / time.Second))},
	}
	if s.wantsHeads() {
		query.Set("heads", "1")
	}
	ctx, cancel := context.WithTimeout(ctx, s.timing.PollWait+s.timing.Request)
	defer cancel()
	got, err := s.client.call(ctx, http.MethodGet, wire.PathPull+"?"+query.Encode(), nil)
	if err != nil {
		return wire.FeedPage{}, s.verdict(ctx, err)
	}
	page, err := believe(s, got, wire.DomainFeed, func(p wire.FeedPage) int64 { return p.HQTime })
	if err != nil {
		return wire.FeedPage{}, fmt.Errorf("verify feed page: %w", err)
	}
	switch {
	case page.HQ != s.cfg.HQ || page.Store != s.cfg.Store:
		return wire.FeedPage{}, problem.New(problem.BatchInvalid, "the feed page is for another store")
	case page.From != cursor:
		return wire.FeedPage{}, problem.New(problem.BatchInvalid, "the feed page answers another cursor")
	case len(page.Items) > wire.MaxFeedItems:
		return wire.FeedPage{}, problem.Newf(problem.BatchTooLarge, "the feed page has %d items", len(page.Items))
	}
	if page.HQEpoch == s.welcomed.Load() {
		s.keep(nil, page.Heads)
	}
	if err := s.cfg.Till.ApplyFeed(ctx, page); err != nil {
		return wire.FeedPage{}, fmt.Errorf("apply feed page: %w", err)
	}
	s.cfg.Till.ObserveHQTime(time.UnixMilli(page.HQTime))
	s.board.heard()
	s.board.cleared(ModeRevoked)
	s.board.cleared(ModeQuarantined)
	return page, nil
}
