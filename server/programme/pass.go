package programme

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// Pass is a member's pass as text for a QR code.
type Pass struct {
	Member    Member
	Form      passtoken.Freshness
	Text      string
	ExpiresOn time.Time // the last good day, in UTC
}

// Pass issues a member's pass. It is good until the end of the second year after
// this one, so that one printed twice in a year is the same. Rotating is what a
// wallet would show at this moment. A blocked member gets none.
func (p *Programme) Pass(ctx context.Context, member uuid.UUID, form passtoken.Freshness) (Pass, error) {
	m, err := p.env.Keeper.Member(ctx, member)
	if err != nil {
		return Pass{}, err
	}
	if m.Blocked {
		return Pass{}, problem.New(problem.StateConflict, "the member is blocked")
	}
	token, last, err := p.sign(m)
	if err != nil {
		return Pass{}, err
	}
	out := Pass{Member: m, Form: form, Text: token.Text(), ExpiresOn: last}
	if form == passtoken.FreshnessRotating {
		out.Text, err = p.rotating(token, p.now())
	}
	return out, err
}

// sign makes the static token of a member's pass and says its last day.
func (p *Programme) sign(m Member) (token passtoken.Token, last time.Time, err error) {
	last = p.lastDay()
	day, err := passtoken.DayOf(last)
	if err != nil {
		return token, last, fmt.Errorf("issue pass: %w", err)
	}
	token, err = passtoken.Issue(p.env.PassKey, passtoken.Pass{
		Kind: passtoken.KindMember, Subject: m.ID, Issue: m.Issue, ExpiresOn: day,
	})
	return token, last, err
}

// lastDay is the last day of a code issued now.
func (p *Programme) lastDay() time.Time {
	last := time.Date(p.now().Year()+2, time.December, 31, 0, 0, 0, 0, time.UTC)
	if end := p.env.PassKey.Public.NotAfter; last.Add(24 * time.Hour).After(end) {
		last = end.UTC().Add(-24 * time.Hour).Truncate(24 * time.Hour)
	}
	return last
}

func (p *Programme) rotating(token passtoken.Token, now time.Time) (string, error) {
	for _, g := range p.env.Groups {
		if !now.Before(g.NotBefore) && now.Before(g.NotAfter) {
			return passtoken.RotatingText(token, g, now), nil
		}
	}
	return "", problem.New(problem.StateConflict, "no freshness secret is valid now")
}
