package programme

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// Code is what a web card needs to show a member's code without HQ: the static text,
// and for each freshness epoch that is not over the key from which the rotating part is
// computed (RFC 6238; [passtoken.RotatingText] says how).
type Code struct {
	Text      string
	Issue     uint16
	ExpiresOn time.Time // the last good day, in UTC
	Keys      []CodeKey
}

// CodeKey is the TOTP key of one member in one epoch.
type CodeKey struct {
	Epoch     uint32
	Key       []byte // 20 bytes
	NotBefore time.Time
	NotAfter  time.Time
}

// Code issues it. A blocked member gets none.
func (p *Programme) Code(ctx context.Context, member uuid.UUID) (Code, error) {
	m, err := p.env.Keeper.Member(ctx, member)
	if err != nil {
		return Code{}, err
	}
	if m.Blocked {
		return Code{}, problem.New(problem.StateConflict, "the member is blocked")
	}
	token, last, err := p.sign(m)
	if err != nil {
		return Code{}, err
	}
	out := Code{Text: token.Text(), Issue: m.Issue, ExpiresOn: last}
	for _, g := range p.env.Groups {
		if p.now().Before(g.NotAfter) {
			out.Keys = append(out.Keys, CodeKey{Epoch: g.Epoch, Key: g.TOTPKey(m.ID), NotBefore: g.NotBefore, NotAfter: g.NotAfter})
		}
	}
	return out, nil
}

// Rename changes what tills call a member; empty is no name.
func (p *Programme) Rename(ctx context.Context, by, id uuid.UUID, alias string) (Member, error) {
	alias = strings.TrimSpace(alias)
	r := refusal{}
	r.text("/alias", alias, 0, 40)
	if err := r.err("the member cannot be called so"); err != nil {
		return Member{}, err
	}
	return p.change(ctx, by, id, func(m *Member) (bool, error) {
		was := m.Alias
		m.Alias = alias
		return was != alias, nil
	})
}
