package programme

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/passtoken"
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
	return p.CodeOf(m)
}

// CodeOf is Code of a member that was read before.
func (p *Programme) CodeOf(m Member) (Code, error) {
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

// CodeTerms is what the codes of all members have in common: which key signs them,
// until when they are good, and the freshness epochs that are not over. Two codes of a
// member with one issue number and the same terms are the same.
type CodeTerms struct {
	KeyID     uint8
	ExpiresOn time.Time
	Epochs    []CodeKey // without keys
}

// CodeTerms returns those of now. It signs nothing.
func (p *Programme) CodeTerms() (CodeTerms, error) {
	last := p.lastDay()
	if _, err := passtoken.DayOf(last); err != nil {
		return CodeTerms{}, fmt.Errorf("read code terms: %w", err)
	}
	out := CodeTerms{KeyID: p.env.PassKey.Public.ID, ExpiresOn: last}
	for _, g := range p.env.Groups {
		if p.now().Before(g.NotAfter) {
			out.Epochs = append(out.Epochs, CodeKey{Epoch: g.Epoch, NotBefore: g.NotBefore, NotAfter: g.NotAfter})
		}
	}
	return out, nil
}

// VoucherCode issues the code of a voucher that stands for itself, of one issue number
// ([loyalty.Voucher.CodeIssue]), good through the day of until, or as long as a member's
// when until is zero or later than that. It does not rotate.
func (p *Programme) VoucherCode(voucher uuid.UUID, issue uint16, until time.Time) (Code, error) {
	last := p.lastDay()
	if !until.IsZero() && until.Before(last) {
		last = until.UTC().Truncate(24 * time.Hour)
	}
	day, err := passtoken.DayOf(last)
	if err != nil {
		return Code{}, fmt.Errorf("issue code of voucher: %w", err)
	}
	token, err := passtoken.Issue(p.env.PassKey, passtoken.Pass{Kind: passtoken.KindVoucher, Subject: voucher, Issue: issue, ExpiresOn: day})
	if err != nil {
		return Code{}, fmt.Errorf("issue code of voucher: %w", err)
	}
	return Code{Text: token.Text(), Issue: issue, ExpiresOn: last}, nil
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
