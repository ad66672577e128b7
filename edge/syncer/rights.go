package syncer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// Authorise asks HQ for a one-off right, within the time of ctx. The grant in the answer
// is HQ's for sure; whether it is what was asked for is the till's to see.
func (s *Service) Authorise(ctx context.Context, asked wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
	raw, err := s.exchange(ctx, wire.PathAuthorise, asked)
	if err != nil {
		var dialled *net.OpError
		if errors.As(err, &dialled) && dialled.Op == "dial" {
			err = fmt.Errorf("%w: %w", till.ErrNotAsked, err)
		}
		return wire.AuthoriseAnswer{}, fmt.Errorf("ask HQ for a right: %w", err)
	}
	answer, err := wire.Unmarshal[wire.AuthoriseAnswer](raw)
	if err != nil {
		return wire.AuthoriseAnswer{}, notDecided("read HQ's answer about a right", err)
	}
	if answer.Refused == "" {
		sealed, err := wire.Marshal(answer.Grant)
		if err != nil {
			return wire.AuthoriseAnswer{}, err
		}
		if _, err := believe(s, sealed, wire.DomainGrant, func(g wire.Grant) int64 { return g.GrantedAt }); err != nil {
			return wire.AuthoriseAnswer{}, notDecided("verify grant", err)
		}
	}
	s.board.heard()
	return answer, nil
}

// notDecided hides the code of what is wrong with an answer: the till must not take it
// for HQ's refusal.
func notDecided(what string, err error) error {
	return problem.Wrap(problem.Unavailable, err, what)
}

// presentPage is how many grants are shown to HQ at once; a page stays well below
// wire.MaxBody.
const presentPage = 500

// present shows an HQ that was restored the grants this terminal has, before it sends
// what was spent of them. Where HQ refuses to look, because it is of an older release,
// this terminal has been shut out or a grant is not good any more, what was spent is
// delivered all the same: facts wait for nothing.
func (p *sender) present(ctx context.Context) error {
	epoch := p.Service.welcomed.Load()
	if epoch <= 1 || p.presentedTo == epoch || p.cfg.Till.Presented() >= epoch {
		return nil
	}
	var after []byte
	for {
		grants, next, err := p.cfg.Till.Grants(ctx, after, presentPage)
		if err != nil {
			return fmt.Errorf("present grants: %w", err)
		}
		_, err = p.exchange(ctx, wire.PathPresent, wire.PresentRequest{V: wire.Version, Epoch: epoch, Grants: grants, Last: next == nil})
		if refused(err) {
			p.cfg.Log.Warn("HQ does not take the grants that are presented", "error", err)
			p.presentedTo = epoch
			return nil
		}
		if err != nil {
			return fmt.Errorf("present grants: %w", err)
		}
		if after = next; after == nil {
			p.presentedTo = epoch
			return p.cfg.Till.SetPresented(ctx, epoch)
		}
	}
}

// refused reports whether HQ has said no, and would again to the same question.
func refused(err error) bool {
	var r *refusal
	if !errors.As(err, &r) {
		return false
	}
	switch r.status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return r.status >= 400 && r.status < 500
}
