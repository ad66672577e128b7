package syncer

import (
	"context"

	"github.com/tallystick/tallystick/internal/problem"
)

// Steps drives a service that is not started, one exchange at a time and in the
// goroutine of the caller: for the simulator, which decides what happens when. It does
// what the loops do, without their waits.
type Steps struct {
	push   *sender
	cursor string
	epoch  uint32 // of HQ, as of the last page
}

// Steps returns the steps of the service, as after a start.
func (s *Service) Steps() *Steps {
	return &Steps{push: s.newSender(), cursor: s.cfg.Till.Cursor()}
}

// Push says hello or sends one batch, whichever is next. more is false when HQ has
// everything. After a failure the next step is a hello.
func (x *Steps) Push(ctx context.Context) (more bool, err error) {
	p := x.push
	if p.known && p.have.Seq >= p.cfg.Journal.Head().Seq {
		return false, nil
	}
	if err := p.step(ctx); err != nil {
		p.board.failed(err, modeOf(err))
		p.known = false
		return false, err
	}
	return true, nil
}

// Pull fetches one page of the feed. more is false when it brought HQ's last word.
// A page of another HQ epoch makes the next Push compare heads.
func (x *Steps) Pull(ctx context.Context) (more bool, err error) {
	page, err := x.push.pull(ctx, x.cursor)
	if err != nil {
		if code := problem.CodeOf(err); code == problem.CursorExpired || code == problem.CursorInvalid {
			x.cursor = ""
		}
		mode := modeOf(err)
		if mode == ModeForked {
			mode = ModeRefused
		}
		x.push.board.failed(err, mode)
		x.push.known = false // as after any failure: HQ may have been restored
		return false, err
	}
	if page.HQEpoch != x.epoch {
		x.push.known = false
	}
	x.cursor, x.epoch = page.Next, page.HQEpoch
	return page.More, nil
}
