package allowance

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// Line is what one store can cost at most in one unit at this moment. StandIn is the
// largest share of each terminal that it may still go by, TakenBack what was left of
// rights that HQ took back and that their holders may have used, Uncovered the part of
// rights that no lots bear any more. Clones is, by itself,
// what a stated number of copies of each terminal could add: what rights have left
// (Unspent), what was taken back, and the shares, once more for each. Lost is what was really overdrawn.
type Line struct {
	Store     uuid.UUID
	Unit      string
	StandIn   int64
	TakenBack int64
	Uncovered int64
	Unspent   int64
	Clones    int64
	Lost      map[loyalty.LossCause]int64
}

// Worst is what can be lost without a copied terminal.
func (l Line) Worst() int64 { return l.StandIn + l.TakenBack + l.Uncovered }

// Exposure is what can be lost at a moment, by store and unit. Copies is the number of
// copies of each terminal that Clones of the lines are for.
type Exposure struct {
	At     int64
	Copies int64
	Lines  []Line
}

// Total sums the lines of each unit.
func (e Exposure) Total() []Line {
	var out []Line
	for _, l := range e.Lines {
		i := slices.IndexFunc(out, func(o Line) bool { return o.Unit == l.Unit })
		if i < 0 {
			i = len(out)
			out = append(out, Line{Unit: l.Unit, Lost: map[loyalty.LossCause]int64{}})
		}
		t := &out[i]
		t.StandIn, t.TakenBack, t.Uncovered = t.StandIn+l.StandIn, t.TakenBack+l.TakenBack, t.Uncovered+l.Uncovered
		t.Unspent, t.Clones = t.Unspent+l.Unspent, t.Clones+l.Clones
		for cause, n := range l.Lost {
			t.Lost[cause] += n
		}
	}
	return out
}

// Measured is what an exposure is computed from.
type Measured struct {
	Policy    loyalty.Policy
	Lanes     []Lane
	Shares    []ShareRow
	Unspent   []Sum
	Uncovered []Sum
	TakenBack []TakenBack
	Losses    []ledger.Loss
}

// Compute is the formula of docs/offline-protocol.md.
func Compute(at int64, m Measured) Exposure {
	k := m.Policy.Rights.Clones
	if k <= 0 {
		k = defaultClones
	}
	lines := map[lineKey]*Line{}
	line := func(store uuid.UUID, unit string) *Line {
		key := lineKey{store, summed(unit)}
		if lines[key] == nil {
			lines[key] = &Line{Store: store, Unit: key.unit, Lost: map[loyalty.LossCause]int64{}}
		}
		return lines[key]
	}
	for _, s := range standIn(m) {
		l := line(s.Store, s.Unit)
		l.StandIn += s.Amount
		l.Clones += k * s.Amount
	}
	for _, s := range m.Unspent {
		l := line(s.Store, s.Unit)
		l.Unspent += s.Amount
		l.Clones += k * s.Amount
	}
	for _, s := range m.Uncovered {
		line(s.Store, s.Unit).Uncovered += s.Amount
	}
	for _, t := range m.TakenBack {
		l := line(t.Store, t.Unit)
		l.TakenBack += t.Amount
		l.Clones += k * t.Amount // a copy may believe that it still holds it
	}
	for _, x := range m.Losses {
		line(x.Store, x.Unit).Lost[x.Cause] += x.Amount
	}
	e := Exposure{At: at, Copies: k}
	for _, l := range lines {
		e.Lines = append(e.Lines, *l)
	}
	slices.SortFunc(e.Lines, func(a, b Line) int {
		if c := bytes.Compare(a.Store[:], b.Store[:]); c != 0 {
			return c
		}
		return strings.Compare(a.Unit, b.Unit)
	})
	return e
}

type lineKey struct {
	store uuid.UUID
	unit  string
}

// summed is the unit under which amounts are added up.
func summed(unit string) string {
	if strings.HasPrefix(unit, loyalty.UseUnit("")) {
		return Uses
	}
	return unit
}

// standIn is the largest share that each terminal may still go by. Shares are of every
// terminal that ever had one and has not taken in that it has none, for one that is shut
// out may go on; a terminal without any goes by the policy.
func standIn(m Measured) []Sum {
	type top struct {
		store        uuid.UUID
		points, uses map[string]int64
	}
	most := map[uuid.UUID]*top{}
	of := func(l Lane) *top {
		if most[l.ID] == nil {
			most[l.ID] = &top{l.Store, map[string]int64{}, map[string]int64{}}
		}
		return most[l.ID]
	}
	for _, row := range m.Shares {
		t := of(row.Lane)
		t.points[row.Unit] = max(t.points[row.Unit], row.Points)
		t.uses[Uses] = max(t.uses[Uses], row.Uses)
	}
	for _, l := range m.Lanes {
		if most[l.ID] == nil && m.Policy.Version > 0 {
			own := m.Policy.TerminalShare(nil)
			t := of(l)
			t.points[m.Policy.Unit], t.uses[Uses] = own.Points, own.Uses
		}
	}
	var out []Sum
	for id, t := range most {
		for _, amounts := range []map[string]int64{t.points, t.uses} {
			for unit, n := range amounts {
				if n > 0 {
					out = append(out, Sum{Store: t.store, Holder: id, Unit: unit, Amount: n})
				}
			}
		}
	}
	return out
}

// Exposure is what can be lost now.
func (s *Service) Exposure(ctx context.Context) (Exposure, error) {
	policy, err := s.policy(ctx)
	if err != nil {
		return Exposure{}, err
	}
	lanes, err := s.o.Store.Lanes(ctx)
	if err != nil {
		return Exposure{}, fmt.Errorf("read terminals: %w", err)
	}
	return s.exposure(ctx, policy, lanes)
}

// Bound is what a terminal can cost that HQ never hears of again, by unit: what its
// rights have left, with what of them was taken back already, and what it can stand in for.
func (s *Service) Bound(ctx context.Context, terminal uuid.UUID) ([]entry.LostBound, error) {
	policy, err := s.policy(ctx)
	if err != nil {
		return nil, err
	}
	lanes, err := s.o.Store.Lanes(ctx)
	if err != nil {
		return nil, fmt.Errorf("read terminals: %w", err)
	}
	m, err := s.measure(ctx, policy, lanes)
	if err != nil {
		return nil, err
	}
	var out []entry.LostBound
	for _, l := range Compute(s.now(), m.of(terminal)).Total() {
		if rights := l.Unspent + l.TakenBack; rights > 0 || l.StandIn > 0 {
			out = append(out, entry.LostBound{Unit: l.Unit, Rights: rights, StandIn: l.StandIn})
		}
	}
	return out, nil
}

// of is what of an exposure one terminal makes, without what rights of several share.
func (m Measured) of(terminal uuid.UUID) Measured {
	not := func(l Lane) bool { return l.ID != terminal }
	return Measured{
		Policy: m.Policy, Lanes: slices.DeleteFunc(slices.Clone(m.Lanes), not),
		Shares:    slices.DeleteFunc(slices.Clone(m.Shares), func(r ShareRow) bool { return not(r.Lane) }),
		Unspent:   slices.DeleteFunc(slices.Clone(m.Unspent), func(s Sum) bool { return s.Holder != terminal }),
		TakenBack: slices.DeleteFunc(slices.Clone(m.TakenBack), func(t TakenBack) bool { return not(t.Lane) }),
	}
}

func (s *Service) exposure(ctx context.Context, policy loyalty.Policy, lanes []Lane) (Exposure, error) {
	m, err := s.measure(ctx, policy, lanes)
	if err != nil {
		return Exposure{}, err
	}
	return Compute(s.now(), m), nil
}

// measure reads what an exposure is computed from.
func (s *Service) measure(ctx context.Context, policy loyalty.Policy, lanes []Lane) (Measured, error) {
	m := Measured{Policy: policy, Lanes: lanes}
	var err error
	if m.Shares, err = s.o.Store.Shares(ctx); err != nil {
		return m, fmt.Errorf("read shares: %w", err)
	}
	if m.Unspent, err = s.o.Store.Unspent(ctx); err != nil {
		return m, fmt.Errorf("read rights: %w", err)
	}
	if m.Uncovered, err = s.o.Store.Uncovered(ctx); err != nil {
		return m, fmt.Errorf("read uncovered rights: %w", err)
	}
	if m.TakenBack, err = s.o.Store.TakenBack(ctx); err != nil {
		return m, fmt.Errorf("read what was taken back: %w", err)
	}
	if m.Losses, err = s.o.Ledger.Losses(ctx); err != nil {
		return m, err
	}
	return m, nil
}

// Preview is what a policy would make of the exposure. AtMost is until every terminal has
// taken it in: each may go by what it had or by what it gets. Settled is afterwards; one
// that is shut out takes nothing in, and counts as before.
type Preview struct{ Now, AtMost, Settled Exposure }

// Preview computes the exposure under a policy that is not in force. It changes nothing.
func (s *Service) Preview(ctx context.Context, p loyalty.Policy) (Preview, error) {
	policy, err := s.policy(ctx)
	if err != nil {
		return Preview{}, err
	}
	lanes, err := s.o.Store.Lanes(ctx)
	if err != nil {
		return Preview{}, fmt.Errorf("read terminals: %w", err)
	}
	m, err := s.measure(ctx, policy, lanes)
	if err != nil {
		return Preview{}, err
	}
	out := Preview{Now: Compute(s.now(), m)}
	p.Version = policy.Version + 1
	in := map[uuid.UUID]int64{}
	for _, l := range lanes {
		in[l.Store]++
	}
	var given []ShareRow
	for _, l := range lanes {
		share := Share(p, in[l.Store])
		given = append(given, ShareRow{Lane: l, Policy: p.Version, Unit: p.Unit, Points: share.Points, Uses: share.Uses})
	}
	m.Policy = p
	settled := m
	settled.Shares = slices.Concat(given, slices.DeleteFunc(slices.Clone(m.Shares), func(r ShareRow) bool { return isLane(lanes, r.ID) }))
	m.Shares = slices.Concat(m.Shares, unshared(policy, m), given)
	out.AtMost, out.Settled = Compute(s.now(), m), Compute(s.now(), settled)
	return out, nil
}

func isLane(lanes []Lane, terminal uuid.UUID) bool {
	return slices.ContainsFunc(lanes, func(l Lane) bool { return l.ID == terminal })
}

// unshared are the shares of terminals that have none and go by the policy.
func unshared(p loyalty.Policy, m Measured) []ShareRow {
	var out []ShareRow
	if p.Version == 0 {
		return nil
	}
	for _, l := range m.Lanes {
		if !slices.ContainsFunc(m.Shares, func(r ShareRow) bool { return r.ID == l.ID }) {
			own := p.TerminalShare(nil)
			out = append(out, ShareRow{Lane: l, Unit: p.Unit, Points: own.Points, Uses: own.Uses})
		}
	}
	return out
}

// Sample is a line as it was at a time.
type Sample struct {
	At int64
	Line
}

// Totals sums samples of the same time and unit, in their order.
func Totals(samples []Sample) []Sample {
	var out []Sample
	for len(samples) > 0 {
		n := slices.IndexFunc(samples, func(s Sample) bool { return s.At != samples[0].At })
		if n < 0 {
			n = len(samples)
		}
		e := Exposure{At: samples[0].At}
		for _, s := range samples[:n] {
			e.Lines = append(e.Lines, s.Line)
		}
		for _, l := range e.Total() {
			out = append(out, Sample{e.At, l})
		}
		samples = samples[n:]
	}
	return out
}

// sampleEvery is how often the exposure is kept, in milliseconds.
const sampleEvery = 60_000

// sample keeps the exposure of each minute.
func (s *Service) sample(ctx context.Context, p loyalty.Policy, lanes []Lane) error {
	at := s.now() / sampleEvery * sampleEvery
	if at == s.sampled {
		return nil
	}
	e, err := s.exposure(ctx, p, lanes)
	if err != nil {
		return err
	}
	samples := make([]Sample, len(e.Lines))
	for i, l := range e.Lines {
		samples[i] = Sample{at, l}
	}
	if err := s.o.Store.PutSamples(ctx, samples); err != nil {
		return fmt.Errorf("keep exposure: %w", err)
	}
	s.sampled = at
	return nil
}

// samplesMost bounds one answer of History.
const samplesMost = 5000

// History is the exposure of a store, or of all for the zero id, as it was kept between
// two times in Unix milliseconds.
func (s *Service) History(ctx context.Context, store uuid.UUID, from, to int64) ([]Sample, error) {
	samples, err := s.o.Store.Samples(ctx, store, from, to, samplesMost)
	if err != nil {
		return nil, fmt.Errorf("read exposure: %w", err)
	}
	return samples, nil
}
