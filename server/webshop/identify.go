package webshop

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// Shopper says whose basket it is, by one of three: the id of a member who is signed
// in at the shop, the text of a pass in its static form, or a card number, which is
// the member's reference. None is a basket of nobody.
type Shopper struct {
	Member uuid.UUID
	Pass   string
	Card   string
}

// identified is the member with what was presented to prove it.
type identified struct {
	member    programme.Member
	known     bool
	freshness entry.Freshness
	code      *entry.Code
}

// identify finds the member. The shop is trusted to have signed in who it names; a
// pass is verified, and a card number is only typed.
func (s *Shop) identify(ctx context.Context, who Shopper) (identified, error) {
	var out identified
	var err error
	switch given := countOf(who.Member != uuid.Nil, who.Pass != "", who.Card != ""); {
	case given == 0:
		return out, nil
	case given > 1:
		return out, &problem.Error{
			Code: problem.InvalidField, Detail: "whose basket it is, is said twice",
			Fields: map[string]string{"/member": "give one of member, pass and card"},
		}
	case who.Pass != "":
		err = s.byPass(ctx, who.Pass, &out)
	case who.Card != "":
		out.freshness = entry.FreshnessKeyed
		out.member, err = s.env.Programme.MemberByReference(ctx, who.Card)
	default:
		out.member, err = s.env.Programme.Member(ctx, who.Member)
	}
	if problem.CodeOf(err) == problem.NotFound {
		err = problem.Wrap(problem.MemberUnknown, err, "")
	}
	out.known = err == nil
	return out, err
}

func countOf(all ...bool) (n int) {
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}

// byPass verifies the text of a static pass. A rotating one proves a moment that a
// form on a page cannot keep, and is refused.
func (s *Shop) byPass(ctx context.Context, text string, out *identified) error {
	v, err := passtoken.Verifier{Kinds: []passtoken.Kind{passtoken.KindMember}}.Verify(text, s.now(), 0, s.env.Keys, nil)
	if err != nil {
		return err
	}
	if out.member, err = s.env.Programme.Member(ctx, v.Pass.Subject); err != nil {
		return err
	}
	if err := s.checkIssue(ctx, v.Pass.Issue, out.member); err != nil {
		return err
	}
	out.freshness = entry.FreshnessStatic
	out.code = &entry.Code{Subject: v.Pass.Subject, KeyID: v.Pass.KeyID, Issue: v.Pass.Issue}
	return nil
}

// checkIssue refuses a pass that was replaced, as a till would.
func (s *Shop) checkIssue(ctx context.Context, shown uint16, m programme.Member) error {
	if (loyalty.Policy{}).IssueGood(shown, m.Issue, nil, 0) {
		return nil
	}
	policy, err := s.env.Programme.CurrentPolicy(ctx)
	if err != nil && problem.CodeOf(err) != problem.NotFound {
		return fmt.Errorf("read policy: %w", err)
	}
	issues, err := s.env.Ledger.PassIssues(ctx, m.Account, m.ID)
	if err != nil {
		return err
	}
	now := s.now().UnixMilli()
	if _, replaced := loyalty.IssuesAt(issues, now); policy.IssueGood(shown, m.Issue, replaced, now) {
		return nil
	}
	return problem.Newf(problem.CodeOutdated, "issue %d, the newest is %d", shown, m.Issue)
}
