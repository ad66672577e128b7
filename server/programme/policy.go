package programme

import (
	"strconv"

	"github.com/tallystick/tallystick/internal/loyalty"
)

const (
	maxAgeSteps  = 16
	maxClaimDays = 3660
	maxSeconds   = 366 * 24 * 3600
	// mostUnknownSales is more than any till sells in a day.
	mostUnknownSales = 1_000_000
)

// policy checks the caps of stand-in and how rights are given.
func (r refusal) policy(p loyalty.Policy) {
	r.unit("/unit", p.Unit)
	for pointer, amount := range map[string]int64{
		"/per_sale": p.PerSale, "/per_member_day": p.PerMemberDay, "/per_terminal_since_sync": p.PerTerminal,
		"/vouchers_per_sale": p.VouchersPerSale, "/vouchers_per_terminal_since_sync": p.VouchersTerminal,
		"/per_store_since_sync": p.PerStore, "/vouchers_per_store_since_sync": p.VouchersStore, "/soft_limit": p.SoftLimit,
		"/restart_cap":     p.RestartCap,
		"/static/per_sale": p.Static.PerSale, "/static/per_member_day": p.Static.PerMemberDay,
		"/keyed/per_sale": p.Keyed.PerSale, "/keyed/per_member_day": p.Keyed.PerMemberDay,
		"/rights/cap": p.Rights.Cap, "/rights/min": p.Rights.Min,
	} {
		r.between(pointer, amount, 0, Most)
	}
	r.between("/identities", p.Identities, -1, loyalty.MostIdentities)
	r.between("/unknown_sales", p.UnknownSales, -1, mostUnknownSales)
	r.between("/issue_grace_days", p.IssueGraceDays, -1, loyalty.MostIssueGrace)
	r.between("/claim_days", p.ClaimDays, 0, maxClaimDays)
	r.between("/max_cache_age_seconds", p.MaxCacheAgeSeconds, 0, maxSeconds)
	r.unless(len(p.AgeSteps) <= maxAgeSteps, "/age_steps", "has more than "+strconv.Itoa(maxAgeSteps)+" steps")
	for i, s := range p.AgeSteps {
		at := "/age_steps/" + strconv.Itoa(i)
		r.between(at+"/after_seconds", s.AfterSeconds, 0, maxSeconds)
		r.between(at+"/percent", s.Percent, 0, 100)
		r.unless(i == 0 || s.AfterSeconds > p.AgeSteps[i-1].AfterSeconds, at+"/after_seconds", "must be later than the step before")
	}
	r.rights(p.Rights)
}

// rights checks how rights are given: a till must have stopped before the end, and have
// time to say what it spent before they are taken back.
func (r refusal) rights(p loyalty.Rights) {
	r.between("/rights/share_percent", p.SharePercent, 0, 100)
	r.between("/rights/life_seconds", p.LifeSeconds, 0, maxSeconds)
	r.between("/rights/one_off_seconds", p.OneOffSeconds, 0, maxSeconds)
	r.between("/rights/clock_bound_seconds", p.ClockBoundSeconds, 0, 24*3600)
	r.between("/rights/grace_seconds", p.GraceSeconds, 0, maxSeconds)
	r.between("/rights/clones", p.Clones, 0, 1000)
	for pointer, life := range map[string]int64{"/rights/life_seconds": p.LifeSeconds, "/rights/one_off_seconds": p.OneOffSeconds} {
		r.unless(life == 0 || life > p.ClockBoundSeconds, pointer, "must be longer than the clock bound")
	}
	r.unless(p.Min <= p.Cap || p.Cap == 0, "/rights/min", "must not be more than the cap")
}
