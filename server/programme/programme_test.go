package programme_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

var clerk = uuid.NewSHA1(uuid.Nil, []byte("clerk"))

// rig is an HQ with rules, a reward and a member.
type rig struct {
	*books.HQ
	*programme.Programme
	ann    programme.Member
	reward programme.Reward
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{HQ: books.New(t)}
	signer, err := keys.NewSigner(keys.Public{
		ID: 1, Use: keys.UsePass, NotBefore: books.Start.AddDate(-1, 0, 0), NotAfter: books.Start.AddDate(20, 0, 0),
	}, bytes.Repeat([]byte{9}, 32))
	must(t, err)
	r.Programme = programme.New(programme.Env{
		Keeper: r.DB, Journal: r.Journal, Ledger: r.Ledger, Clock: r.Clock, Random: rand.Reader,
		NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) }, HQ: r.ID, PassKey: signer,
	})
	_, err = r.PutRuleSet(t.Context(), clerk, rules())
	must(t, err)
	r.reward, err = r.AddReward(t.Context(), clerk, reward())
	must(t, err)
	all, err := r.AddMembers(t.Context(), clerk, "", []programme.NewMember{{Alias: "Ann", Reference: "4711"}})
	must(t, err)
	r.ann = all[0]
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func rules() loyalty.RuleSet {
	return loyalty.RuleSet{
		Currency: "EUR",
		Units:    []loyalty.Unit{{Name: "points"}, {Name: "stamps", Kind: loyalty.UnitStamps}, {Name: "credit", Kind: loyalty.UnitCredit, Decimals: 2}},
		Earn:     []loyalty.EarnRule{{Unit: "points", Points: 1, Per: 100}, {Unit: "credit", Points: 3, Per: 100, Rounding: loyalty.RoundHalfEven}},
	}
}

func reward() loyalty.Reward {
	return loyalty.Reward{Name: "1 off", Unit: "points", Cost: 100, Discount: 100, Currency: "EUR", Active: true}
}

func policy() loyalty.Policy { return loyalty.Policy{Unit: "points", PerSale: 5} }

// What a person asks of the programme that cannot be has a code, and leaves nothing.
// refusals are operations and the codes they are refused with.
type refusals []struct {
	name string
	do   func() error
	want problem.Code
}

// try wants each refused, and nothing changed by any.
func (all refusals) try(t *testing.T, r *rig) {
	t.Helper()
	for _, c := range all {
		if err := c.do(); problem.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	now, err := r.CurrentRuleSet(context.Background())
	if err != nil || now.Version != 1 {
		t.Errorf("rules: %+v, %v", now, err)
	}
	if n, err := r.CountMembers(context.Background()); n != 1 || err != nil {
		t.Errorf("%d members, %v", n, err)
	}
	if h := r.Holding(t, r.ann.Account, "points"); h.Balance() != 0 {
		t.Errorf("%+v", h)
	}
	r.Verify(t)
}

func TestBadInput_Catalogue(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	rule := func(change func(s *loyalty.RuleSet)) func() error {
		s := rules()
		change(&s)
		return func() error { _, err := r.PutRuleSet(ctx, clerk, s); return err }
	}
	caps := func(change func(c *loyalty.Policy)) func() error {
		c := policy()
		change(&c)
		return func() error { _, err := r.PutPolicy(ctx, clerk, c); return err }
	}
	offer := func(change func(x *loyalty.Reward)) func() error {
		x := reward()
		change(&x)
		return func() error { _, err := r.AddReward(ctx, clerk, x); return err }
	}
	refusals{
		{"a rule in no currency", rule(func(s *loyalty.RuleSet) { s.Currency = "eur" }), problem.InvalidField},
		{"a rule for nothing", rule(func(s *loyalty.RuleSet) { s.Earn[0].Per = 0 }), problem.InvalidField},
		{"a rule that takes", rule(func(s *loyalty.RuleSet) { s.Earn[0].Points = -1 }), problem.InvalidField},
		{"a rule beyond all", rule(func(s *loyalty.RuleSet) { s.Earn[0].Points = programme.Most + 1 }), problem.InvalidField},
		{"a rounding unknown", rule(func(s *loyalty.RuleSet) { s.Earn[0].Rounding = 9 }), problem.InvalidField},
		{"too many rules", rule(func(s *loyalty.RuleSet) { s.Earn = make([]loyalty.EarnRule, 51) }), problem.InvalidField},
		{"a rule in a unit outside the catalogue", rule(func(s *loyalty.RuleSet) { s.Earn[0].Unit = "moons" }), problem.UnitUnknown},
		{"a unit that vouchers are counted in", rule(func(s *loyalty.RuleSet) { s.Units = append(s.Units, loyalty.Unit{Name: "uses"}) }), problem.InvalidField},
		{"a unit without a name", rule(func(s *loyalty.RuleSet) { s.Units = append(s.Units, loyalty.Unit{}) }), problem.InvalidField},
		{"a unit twice", rule(func(s *loyalty.RuleSet) { s.Units = append(s.Units, s.Units[0]) }), problem.InvalidField},
		{"a kind of unit unknown", rule(func(s *loyalty.RuleSet) { s.Units[0].Kind = 9 }), problem.InvalidField},
		{"half stamps", rule(func(s *loyalty.RuleSet) { s.Units[1].Decimals = 1 }), problem.InvalidField},
		{"too many decimals", rule(func(s *loyalty.RuleSet) { s.Units[2].Decimals = 7 }), problem.InvalidField},
		{"stamps become money", rule(func(s *loyalty.RuleSet) { s.Units[1].Kind = loyalty.UnitCredit }), problem.UnitMismatch},
		{"another scale", rule(func(s *loyalty.RuleSet) { s.Units[2].Decimals = 3 }), problem.UnitMismatch},
		{"a unit taken away", rule(func(s *loyalty.RuleSet) { s.Units = append(s.Units[:1:1], s.Units[2]) }), problem.UnitMismatch},
		{"caps in a unit outside the catalogue", caps(func(c *loyalty.Policy) { c.Unit = "moons" }), problem.UnitUnknown},
		{"a negative cap", caps(func(c *loyalty.Policy) { c.PerSale = -1 }), problem.InvalidField},
		{"a reward in a unit outside the catalogue", offer(func(x *loyalty.Reward) { x.Unit = "moons" }), problem.UnitUnknown},
		{"a reward for less than nothing", offer(func(x *loyalty.Reward) { x.Cost = -1 }), problem.InvalidField},
		{"a reward of nothing", offer(func(x *loyalty.Reward) { x.Discount = 0 }), problem.InvalidField},
		{"a reward that ends before it begins", offer(func(x *loyalty.Reward) { x.ValidFrom, x.ValidTo = 5, 4 }), problem.InvalidField},
	}.try(t, r)
}

func TestBadInput_Programme(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	adjust := func(change func(a *programme.Adjustment)) func() error {
		a := programme.Adjustment{Member: r.ann.ID, Unit: "points", Amount: 5, Reason: programme.ReasonGoodwill}
		change(&a)
		return func() error { _, err := r.Programme.Adjust(ctx, clerk, a); return err }
	}
	voucher := func(change func(v *programme.Voucher)) func() error {
		v := programme.Voucher{Member: r.ann.ID, Reward: r.reward.ID, Uses: 1}
		change(&v)
		return func() error { _, err := r.IssueVoucher(ctx, clerk, v); return err }
	}
	refusals{
		{"an adjustment of zero", adjust(func(a *programme.Adjustment) { a.Amount = 0 }), problem.InvalidField},
		{"an adjustment beyond all", adjust(func(a *programme.Adjustment) { a.Amount = programme.Most + 1 }), problem.InvalidField},
		{"an adjustment below all", adjust(func(a *programme.Adjustment) { a.Amount = -programme.Most - 1 }), problem.InvalidField},
		{"an adjustment in an unknown unit", adjust(func(a *programme.Adjustment) { a.Unit = "moons" }), problem.UnitUnknown},
		{"an adjustment in no unit", adjust(func(a *programme.Adjustment) { a.Unit = "use:1" }), problem.InvalidField},
		{"an adjustment of nobody", adjust(func(a *programme.Adjustment) { a.Member = clerk }), problem.NotFound},
		{"an adjustment without reason", adjust(func(a *programme.Adjustment) { a.Reason = 0 }), problem.InvalidField},
		{"points that have expired", adjust(func(a *programme.Adjustment) { a.ExpiresAt = books.Start }), problem.InvalidField},
		{"more taken than is free", adjust(func(a *programme.Adjustment) { a.Amount = -1 }), problem.PointsInsufficient},
		{"a voucher of no uses", voucher(func(v *programme.Voucher) { v.Uses = 0 }), problem.InvalidField},
		{"a voucher of too many", voucher(func(v *programme.Voucher) { v.Uses = 1001 }), problem.InvalidField},
		{"a voucher of nobody", voucher(func(v *programme.Voucher) { v.Member = clerk }), problem.InvalidField},
		{"a voucher of no reward", voucher(func(v *programme.Voucher) { v.Reward = clerk }), problem.InvalidField},
		{"nobody enrolled", func() error { _, err := r.AddMembers(ctx, clerk, "/members", nil); return err }, problem.InvalidField},
		{"a name too long", func() error {
			_, err := r.AddMembers(ctx, clerk, "", []programme.NewMember{{Alias: strings.Repeat("x", 41)}})
			return err
		}, problem.InvalidField},
		{"a reference taken", func() error {
			_, err := r.AddMembers(ctx, clerk, "", []programme.NewMember{{Reference: "4711"}})
			return err
		}, problem.NameTaken},
		{"nobody blocked", func() error { _, err := r.Block(ctx, clerk, clerk); return err }, problem.NotFound},
	}.try(t, r)
}

// The catalogue only grows; rules that say nothing of it leave it, and what only
// they earn is added.
func TestTheCatalogueGrows(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	next := loyalty.RuleSet{Currency: "EUR", Earn: []loyalty.EarnRule{{Unit: "stars", Points: 1, Per: 50}}}
	got, err := r.PutRuleSet(ctx, clerk, next)
	must(t, err)
	if want := append(rules().Units, loyalty.Unit{Name: "stars"}); len(got.Units) != len(want) || got.Units[3] != want[3] || got.Version != 2 {
		t.Errorf("%+v", got)
	}
	for unit, want := range map[string]bool{"points": true, "stars": true, "credit": true, "moons": false} {
		if known, err := r.KnowsUnit(ctx, unit); known != want || err != nil {
			t.Errorf("%s: %t, %v", unit, known, err)
		}
	}
	old, ok, err := programme.PublishedRules{Keeper: r.DB}.RuleSet(ctx, 1)
	if err != nil || !ok || len(old.Earn) != 2 {
		t.Errorf("version 1: %+v, %t, %v", old, ok, err)
	}
	if _, ok, err := (programme.PublishedRules{Keeper: r.DB}).RuleSet(ctx, 3); ok || err != nil {
		t.Errorf("version 3: %t, %v", ok, err)
	}
	must(t, r.Renew(ctx, 9))
	if now, err := r.CurrentRuleSet(ctx); err != nil || now.Version != 9 || len(now.Units) != 4 {
		t.Errorf("renewed: %+v, %v", now, err)
	}
}

// Before the first rule set nothing can be held against a catalogue.
func TestWithoutRulesNoUnitIsKnown(t *testing.T) {
	hq := books.New(t)
	p := programme.New(programme.Env{
		Keeper: hq.DB, Journal: hq.Journal, Ledger: hq.Ledger, Clock: hq.Clock, Random: rand.Reader,
		NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) }, HQ: hq.ID,
	})
	if known, err := p.KnowsUnit(t.Context(), "points"); known || err != nil {
		t.Errorf("%t, %v", known, err)
	}
	if _, err := p.PutPolicy(t.Context(), clerk, policy()); err != nil {
		t.Error(err)
	}
	if _, err := p.CurrentRuleSet(t.Context()); problem.CodeOf(err) != problem.NotFound {
		t.Error(err)
	}
}

func TestAMembersPassAndVouchers(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	if _, err := r.Programme.Adjust(ctx, clerk, programme.Adjustment{Member: r.ann.ID, Unit: "credit", Amount: 1234, Reason: programme.ReasonMigration}); err != nil {
		t.Fatal(err)
	}
	v, err := r.IssueVoucher(ctx, clerk, programme.Voucher{Member: r.ann.ID, Reward: r.reward.ID, Uses: 3})
	must(t, err)
	if got, err := r.Voucher(ctx, v.ID); err != nil || got.Left != 3 || got.Blocked {
		t.Errorf("%+v, %v", got, err)
	}
	list, err := r.Vouchers(ctx, r.ann.ID, uuid.Nil, 10)
	if err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	pass, err := r.Pass(ctx, r.ann.ID, passtoken.FreshnessStatic)
	must(t, err)
	again, err := r.Pass(ctx, r.ann.ID, passtoken.FreshnessStatic)
	if err != nil || again.Text != pass.Text || pass.ExpiresOn.Before(books.Start.AddDate(1, 0, 0)) {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := r.Pass(ctx, r.ann.ID, passtoken.FreshnessRotating); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("a rotating pass without a secret: %v", err)
	}
	if got, err := r.MemberByReference(ctx, "4711"); err != nil || got.ID != r.ann.ID {
		t.Errorf("%+v, %v", got, err)
	}
	m, err := r.Reissue(ctx, clerk, r.ann.ID)
	if err != nil || m.Issue != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	for range 2 {
		if m, err = r.Block(ctx, clerk, r.ann.ID); err != nil || !m.Blocked {
			t.Errorf("%+v, %v", m, err)
		}
	}
	if _, err := r.Pass(ctx, r.ann.ID, passtoken.FreshnessStatic); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("a pass of a blocked member: %v", err)
	}
	if m, err = r.Unblock(ctx, clerk, r.ann.ID); err != nil || m.Blocked {
		t.Errorf("%+v, %v", m, err)
	}
	until := books.Start.Add(time.Hour)
	off := false
	changed, err := r.ChangeReward(ctx, clerk, r.reward.ID, programme.RewardChange{Active: &off, ValidTo: &until})
	if err != nil || changed.Active || changed.Version != 2 || changed.ValidTo != until.UnixMilli() {
		t.Errorf("%+v, %v", changed, err)
	}
	r.Verify(t)
}
