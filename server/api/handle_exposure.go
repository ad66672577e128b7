package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/ledger"
)

// GetExposure implements StrictServerInterface.
func (h handlers) GetExposure(ctx context.Context, _ GetExposureRequestObject) (GetExposureResponseObject, error) {
	e, err := h.o.Rights.Exposure(ctx)
	return GetExposure200JSONResponse{
		At: at(e.At), Copies: e.Copies, Total: showAll(e.Total(), showLine), Stores: showAll(e.Lines, showLine),
	}, err
}

// GetExposureHistory implements StrictServerInterface.
func (h handlers) GetExposureHistory(ctx context.Context, r GetExposureHistoryRequestObject) (GetExposureHistoryResponseObject, error) {
	to := h.o.Clock.Now()
	if r.Params.To != nil {
		to = *r.Params.To
	}
	from := to.Add(-24 * time.Hour)
	if r.Params.From != nil {
		from = *r.Params.From
	}
	samples, err := h.o.Rights.History(ctx, valueOf(r.Params.Store), from.UnixMilli(), to.UnixMilli())
	return GetExposureHistory200JSONResponse{Items: showAll(samples, showSample), Total: showAll(allowance.Totals(samples), showSample)}, err
}

func showSample(s allowance.Sample) ExposureSample {
	return ExposureSample{
		At: at(s.At), Store: unlessEmpty(s.Store), Unit: s.Unit, Worst: s.Worst(), StandIn: s.StandIn, TakenBack: s.TakenBack, Uncovered: s.Uncovered,
		Unspent: s.Unspent, Clones: s.Clones,
	}
}

// GetLosses implements StrictServerInterface.
func (h handlers) GetLosses(ctx context.Context, _ GetLossesRequestObject) (GetLossesResponseObject, error) {
	losses, err := h.o.Ledger.Losses(ctx)
	return GetLosses200JSONResponse{Total: showAll(ledger.LossTotal(losses), showLoss), Stores: showAll(losses, showLoss)}, err
}

func showLoss(l ledger.Loss) LossSum {
	return LossSum{Store: unlessEmpty(l.Store), Unit: l.Unit, Cause: LossCause(l.Cause), Liable: l.Liable, Amount: l.Amount, Exceptions: l.Count}
}

func showLine(l allowance.Line) ExposureLine {
	lost := make([]LossLine, 0, len(l.Lost))
	for cause, n := range l.Lost {
		lost = append(lost, LossLine{Cause: string(cause), Amount: n})
	}
	slices.SortFunc(lost, func(a, b LossLine) int { return strings.Compare(a.Cause, b.Cause) })
	return ExposureLine{
		Store: unlessEmpty(l.Store), Unit: l.Unit, Worst: l.Worst(), StandIn: l.StandIn, TakenBack: l.TakenBack, Uncovered: l.Uncovered,
		Unspent: l.Unspent, Clones: l.Clones, Lost: lost,
	}
}

// readPolicy is the policy asked for. A restart changes nothing, when nothing is said,
// for a till that is not a copy.
func readPolicy(b PolicyChange) loyalty.Policy {
	p := loyalty.Policy{
		Unit: b.Unit, PerSale: b.PerSale, PerMemberDay: b.PerMemberDay,
		PerTerminal: b.PerTerminalSinceSync, VouchersPerSale: b.VouchersPerSale,
		VouchersTerminal: b.VouchersPerTerminalSinceSync, MaxCacheAgeSeconds: b.MaxCacheAgeSeconds,
		PerStore: valueOf(b.PerStoreSinceSync), VouchersStore: valueOf(b.VouchersPerStoreSinceSync), SoftLimit: valueOf(b.SoftLimit),
		Static: readFreshness(b.Static), Keyed: readFreshness(b.Keyed), RestartCap: b.PerTerminalSinceSync,
		SpendEarned: valueOf(b.SpendEarned), SpendPending: valueOf(b.SpendPending), ClaimDays: valueOf(b.ClaimDays),
	}
	if b.RestartCap != nil {
		p.RestartCap = *b.RestartCap
	}
	p.Identities, p.UnknownSales, p.IssueGraceDays = orUsual(b.Identities), orUsual(b.UnknownSales), orUsual(b.IssueGraceDays)
	for _, s := range valueOf(b.AgeSteps) {
		p.AgeSteps = append(p.AgeSteps, loyalty.AgeStep{AfterSeconds: s.AfterSeconds, Percent: s.Percent})
	}
	if r := b.Rights; r != nil {
		p.Rights = loyalty.Rights{
			SharePercent: valueOf(r.SharePercent), Cap: valueOf(r.Cap), Min: valueOf(r.Min), LifeSeconds: valueOf(r.LifeSeconds),
			OneOffSeconds: valueOf(r.OneOffSeconds), ClockBoundSeconds: valueOf(r.ClockBoundSeconds), GraceSeconds: valueOf(r.GraceSeconds),
			Clones: valueOf(r.Clones), VoucherUses: valueOf(r.VoucherUses),
		}
	}
	return p
}

func readFreshness(c *FreshnessCaps) loyalty.FreshnessCaps {
	if c == nil {
		return loyalty.FreshnessCaps{}
	}
	return loyalty.FreshnessCaps{Off: valueOf(c.Off), PerSale: valueOf(c.PerSale), PerMemberDay: valueOf(c.PerMemberDay)}
}

func showFreshness(c loyalty.FreshnessCaps) *FreshnessCaps {
	if c == (loyalty.FreshnessCaps{}) {
		return nil
	}
	return &FreshnessCaps{Off: unlessEmpty(c.Off), PerSale: unlessEmpty(c.PerSale), PerMemberDay: unlessEmpty(c.PerMemberDay)}
}

// orUsual reads a cap that may be left out: the domain's zero is "as usual", and -1 is
// none. What is less than zero stays wrong.
func orUsual(n *int64) int64 {
	switch {
	case n == nil:
		return 0
	case *n <= 0:
		return *n - 1
	}
	return *n
}

func showRights(r loyalty.Rights) *RightsPolicy {
	if r == (loyalty.Rights{}) {
		return nil
	}
	return &RightsPolicy{
		SharePercent: unlessEmpty(r.SharePercent), Cap: unlessEmpty(r.Cap), Min: unlessEmpty(r.Min), LifeSeconds: unlessEmpty(r.LifeSeconds),
		OneOffSeconds: unlessEmpty(r.OneOffSeconds), ClockBoundSeconds: unlessEmpty(r.ClockBoundSeconds), GraceSeconds: unlessEmpty(r.GraceSeconds),
		Clones: unlessEmpty(r.Clones), VoucherUses: unlessEmpty(r.VoucherUses),
	}
}

func showPolicy(p loyalty.Policy) Policy {
	out := Policy{
		Version: int64(p.Version), Unit: p.Unit, PerSale: p.PerSale, PerMemberDay: p.PerMemberDay,
		PerTerminalSinceSync: p.PerTerminal, VouchersPerSale: p.VouchersPerSale,
		VouchersPerTerminalSinceSync: p.VouchersTerminal, MaxCacheAgeSeconds: p.MaxCacheAgeSeconds,
		PerStoreSinceSync: unlessEmpty(p.PerStore), VouchersPerStoreSinceSync: unlessEmpty(p.VouchersStore), SoftLimit: unlessEmpty(p.SoftLimit),
		Static: showFreshness(p.Static), Keyed: showFreshness(p.Keyed), RestartCap: &p.RestartCap,
		SpendEarned: unlessEmpty(p.SpendEarned), SpendPending: unlessEmpty(p.SpendPending), Rights: showRights(p.Rights),
	}
	each, unknown, grace := p.IdentitiesEach(), p.UnknownSalesADay(), p.IssueGrace()
	out.IssueGraceDays = &grace
	out.Identities, out.UnknownSales, out.ClaimDays = &each, &unknown, unlessEmpty(p.ClaimDays)
	if len(p.AgeSteps) > 0 {
		steps := showAll(p.AgeSteps, func(s loyalty.AgeStep) AgeStep { return AgeStep{AfterSeconds: s.AfterSeconds, Percent: s.Percent} })
		out.AgeSteps = &steps
	}
	return out
}
