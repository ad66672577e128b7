package api

import (
	"context"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/sync/entry"
)

// GetCasePolicy implements StrictServerInterface.
func (h handlers) GetCasePolicy(ctx context.Context, _ GetCasePolicyRequestObject) (GetCasePolicyResponseObject, error) {
	policy, err := h.o.Cases.Policy(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := h.settings(ctx, casework.SettingPolicy)
	return GetCasePolicy200JSONResponse{DefaultDays: casework.DefaultDays, InForce: showCasePolicy(policy), Versions: versions}, err
}

// ProposeCasePolicy implements StrictServerInterface.
func (h handlers) ProposeCasePolicy(ctx context.Context, r ProposeCasePolicyRequestObject) (ProposeCasePolicyResponseObject, error) {
	p := casework.Policy{
		Due: showAll(r.Body.Due, func(d CaseDueRule) casework.DueRule {
			return casework.DueRule{Kind: causeOf(d.Cause), Unit: valueOf(d.Unit), Currency: valueOf(d.Currency), Above: valueOf(d.Above), Days: d.Days}
		}),
		Limits: showAll(r.Body.Limits, func(l CaseLimit) casework.Limit {
			return casework.Limit{Kind: causeOf(l.Cause), Unit: valueOf(l.Unit), Currency: valueOf(l.Currency), Above: valueOf(l.Above)}
		}),
	}
	shown, err := setting(h.o.Cases.ProposePolicy(ctx, h.by(ctx), p))
	return ProposeCasePolicy201JSONResponse(shown), err
}

// ListCaseRules implements StrictServerInterface.
func (h handlers) ListCaseRules(ctx context.Context, _ ListCaseRulesRequestObject) (ListCaseRulesResponseObject, error) {
	items, err := h.settings(ctx, casework.SettingRule)
	if err != nil {
		return nil, err
	}
	days, err := h.o.Cases.RuleDays(ctx)
	return ListCaseRules200JSONResponse{Items: items, Days: showAll(days, func(d casework.RuleDay) CaseRuleDay {
		return CaseRuleDay{Number: int64(d.Number), Day: showDate(entry.Date(d.Day)), Count: d.N, Amount: d.Amount, Stopped: d.Stopped}
	})}, err
}

// ProposeCaseRule implements StrictServerInterface.
func (h handlers) ProposeCaseRule(ctx context.Context, r ProposeCaseRuleRequestObject) (ProposeCaseRuleResponseObject, error) {
	shown, err := setting(h.o.Cases.ProposeRule(ctx, h.by(ctx), readCaseRule(*r.Body)))
	return ProposeCaseRule201JSONResponse(shown), err
}

// PreviewCaseRule implements StrictServerInterface.
func (h handlers) PreviewCaseRule(ctx context.Context, r PreviewCaseRuleRequestObject) (PreviewCaseRuleResponseObject, error) {
	t, err := h.o.Cases.TryRule(ctx, readCaseRule(*r.Body))
	return PreviewCaseRule200JSONResponse(showTrial(t)), err
}

// StopCaseRule implements StrictServerInterface.
func (h handlers) StopCaseRule(ctx context.Context, r StopCaseRuleRequestObject) (StopCaseRuleResponseObject, error) {
	if r.Number < 1 {
		return nil, notFound("rule")
	}
	shown, err := setting(h.o.Cases.StopRule(ctx, h.by(ctx), uint64(r.Number), r.Body.Text))
	return StopCaseRule200JSONResponse(shown), err
}

// DecideCaseSetting implements StrictServerInterface.
func (h handlers) DecideCaseSetting(ctx context.Context, r DecideCaseSettingRequestObject) (DecideCaseSettingResponseObject, error) {
	b := *r.Body
	decide, known := map[CaseVerdict]func(context.Context, casework.Person, string, uint64, uint64, string) (casework.Setting, error){
		Approve: h.o.Cases.ApproveSetting, Refuse: h.o.Cases.RefuseSetting, Withdraw: h.o.Cases.WithdrawSetting,
	}[b.Verdict]
	switch {
	case !known:
		return nil, badField("/verdict", "must be approve, refuse or withdraw")
	case !b.Kind.Valid():
		return nil, badField("/kind", "must be policy or rule")
	case b.Number < 0 || b.Version < 1:
		return nil, notFound("version")
	}
	shown, err := setting(decide(ctx, h.by(ctx), string(b.Kind), uint64(b.Number), uint64(b.Version), valueOf(b.Text)))
	return DecideCaseSetting200JSONResponse(shown), err
}

func (h handlers) settings(ctx context.Context, kind string) ([]CaseSetting, error) {
	all, err := h.o.Cases.Settings(ctx, kind)
	if err != nil {
		return nil, err
	}
	out := make([]CaseSetting, len(all))
	for i, one := range all {
		if out[i], err = setting(one, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// setting shows a version of the policy or of a rule.
func setting(s casework.Setting, err error) (CaseSetting, error) {
	if err != nil {
		return CaseSetting{}, err
	}
	out := CaseSetting{
		Kind: CaseSettingKind(s.Kind), Number: int64(s.Number), Version: int64(s.Version), State: string(s.State), MadeBy: s.MadeBy, MadeByName: s.MadeByName,
		MadeAt: s.MadeAt, DecidedBy: unlessEmpty(s.DecidedBy), DecidedByName: unlessEmpty(s.DecidedByName), DecidedAt: unlessEmpty(s.DecidedAt), DecidedText: s.DecidedText,
	}
	if s.Kind == casework.SettingPolicy {
		p, err := s.Policy()
		shown := showCasePolicy(p)
		out.Policy = &shown
		return out, err
	}
	r, err := s.Rule()
	out.Rule = &CaseRule{
		Name: r.Name, Cause: string(r.Kind), Store: unlessEmpty(r.Store), Attribution: unlessEmpty(string(r.Attribution)), Unit: unlessEmpty(r.Unit),
		Currency: unlessEmpty(r.Currency), UpTo: unlessEmpty(r.UpTo), OlderDays: unlessEmpty(r.OlderDays), Outcome: CaseOutcome(r.Outcome),
		Resolution: unlessEmpty(CaseResolution(r.Resolution)), Text: r.Text, Person: unlessEmpty(r.Person), DueDays: unlessEmpty(r.DueDays), DailyCap: unlessEmpty(r.DailyCap),
	}
	return out, err
}

func showCasePolicy(p casework.Policy) CasePolicy {
	return CasePolicy{
		Due: showAll(p.Due, func(d casework.DueRule) CaseDueRule {
			return CaseDueRule{Cause: unlessEmpty(string(d.Kind)), Unit: unlessEmpty(d.Unit), Currency: unlessEmpty(d.Currency), Above: unlessEmpty(d.Above), Days: d.Days}
		}),
		Limits: showAll(p.Limits, func(l casework.Limit) CaseLimit {
			return CaseLimit{Cause: unlessEmpty(string(l.Kind)), Unit: unlessEmpty(l.Unit), Currency: unlessEmpty(l.Currency), Above: unlessEmpty(l.Above)}
		}),
	}
}

func readCaseRule(n CaseRuleNew) casework.Rule {
	r := n.Rule
	return casework.Rule{
		Number: uint64(max(0, valueOf(n.Number))), Name: r.Name, Kind: causeOf(&r.Cause), Store: valueOf(r.Store), Attribution: loyalty.LossCause(valueOf(r.Attribution)),
		Unit: valueOf(r.Unit), Currency: valueOf(r.Currency), UpTo: valueOf(r.UpTo), OlderDays: valueOf(r.OlderDays), Outcome: casework.Outcome(r.Outcome),
		Resolution: casework.Resolution(valueOf(r.Resolution)), Text: r.Text, Person: valueOf(r.Person), DueDays: valueOf(r.DueDays), DailyCap: valueOf(r.DailyCap),
	}
}
