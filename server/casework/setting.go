package casework

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Kinds of settings.
const (
	SettingPolicy = "policy"
	SettingRule   = "rule"
)

// SettingState says what became of a version of a setting.
type SettingState string

// States of settings.
const (
	SettingProposed  SettingState = "proposed"
	InForce          SettingState = "in_force"
	SettingRefused   SettingState = "refused"
	SettingWithdrawn SettingState = "withdrawn"
	SettingOver      SettingState = "over"    // a later version came
	SettingStopped   SettingState = "stopped" // somebody ended the rule
)

// Setting is a version of the policy or of a rule: one person proposes it, another approves.
// Number is that of the rule, zero of the policy.
type Setting struct {
	Kind            string
	Number, Version uint64
	State           SettingState
	Body            []byte // CBOR of a Policy or a Rule
	MadeBy          uuid.UUID
	MadeByName      string
	MadeAt          time.Time
	DecidedBy       uuid.UUID
	DecidedByName   string
	DecidedAt       time.Time
	DecidedText     string
}

// Policy reads a version of the policy.
func (s Setting) Policy() (Policy, error) {
	p, err := wire.Unmarshal[Policy](s.Body)
	if err != nil {
		return p, fmt.Errorf("read policy %d: %w", s.Version, err)
	}
	p.Version = s.Version
	return p, nil
}

// Rule reads a version of a rule.
func (s Setting) Rule() (Rule, error) {
	r, err := wire.Unmarshal[Rule](s.Body)
	if err != nil {
		return r, fmt.Errorf("read rule %d, version %d: %w", s.Number, s.Version, err)
	}
	r.Number, r.Version = s.Number, s.Version
	return r, nil
}

// Settings returns all versions of a kind, by number and version.
func (s *Service) Settings(ctx context.Context, kind string) ([]Setting, error) {
	return s.env.Store.Settings(ctx, kind)
}

// propose adds the next version of a setting, which waits for a second person. One version
// of a setting waits at a time. Of a rule, number zero is a new one.
func (s *Service) propose(ctx context.Context, by Person, kind string, number uint64, body []byte) (Setting, error) {
	out := Setting{Kind: kind, Number: number, Version: 1, State: SettingProposed, Body: body, MadeBy: by.ID, MadeByName: by.Name, MadeAt: s.now()}
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		all, err := s.env.Store.Settings(ctx, kind)
		if err != nil {
			return fmt.Errorf("read settings: %w", err)
		}
		known := number == 0
		highest := uint64(0)
		for _, one := range all {
			highest = max(highest, one.Number)
			if one.Number != number {
				continue
			}
			if one.State == SettingProposed {
				return problem.New(problem.StateConflict, "another version of it waits for a second person")
			}
			known, out.Version = true, one.Version+1
		}
		if !known {
			return problem.New(problem.NotFound, "there is no such rule")
		}
		if kind == SettingRule && number == 0 {
			out.Number = highest + 1
		}
		return s.env.Store.AddSetting(ctx, out)
	})
	if err != nil {
		return Setting{}, fmt.Errorf("propose %s: %w", kind, err)
	}
	return out, nil
}

// ApproveSetting puts a proposed version in force instead of the one before, by somebody
// else than who proposed it.
func (s *Service) ApproveSetting(ctx context.Context, by Person, kind string, number, version uint64, text string) (Setting, error) {
	return s.answerSetting(ctx, by, kind, number, version, text, func(ctx context.Context, all []Setting, one *Setting) error {
		if err := s.mayApprove(ctx, by, one.MadeBy, one.MadeByName); err != nil {
			return err
		}
		for _, old := range all {
			if old.Number == number && old.State == InForce {
				old.State = SettingOver
				if err := s.env.Store.SetSetting(ctx, old, InForce); err != nil {
					return err
				}
			}
		}
		one.State = InForce
		return s.recordSetting(ctx, *one, entry.HQCaseSetting{By: one.MadeBy, Second: by.ID, Record: one.Body})
	})
}

// RefuseSetting ends a proposed version by somebody else than who proposed it.
func (s *Service) RefuseSetting(ctx context.Context, by Person, kind string, number, version uint64, text string) (Setting, error) {
	if _, err := readText(text); err != nil {
		return Setting{}, err
	}
	return s.answerSetting(ctx, by, kind, number, version, text, func(_ context.Context, _ []Setting, one *Setting) error {
		if err := mayRefuse(by, one.MadeBy); err != nil {
			return err
		}
		one.State = SettingRefused
		return nil
	})
}

// WithdrawSetting takes a proposed version back, by who proposed it.
func (s *Service) WithdrawSetting(ctx context.Context, by Person, kind string, number, version uint64, text string) (Setting, error) {
	return s.answerSetting(ctx, by, kind, number, version, text, func(_ context.Context, _ []Setting, one *Setting) error {
		if one.MadeBy != by.ID {
			return problem.New(problem.Forbidden, "only who proposed it can take it back")
		}
		one.State = SettingWithdrawn
		return nil
	})
}

func (s *Service) answerSetting(ctx context.Context, by Person, kind string, number, version uint64, text string, how func(ctx context.Context, all []Setting, one *Setting) error) (Setting, error) {
	text, err := readAnyText(text)
	if err != nil {
		return Setting{}, err
	}
	var out Setting
	err = s.env.Store.InTx(ctx, func(ctx context.Context) error {
		all, err := s.env.Store.Settings(ctx, kind)
		if err != nil {
			return fmt.Errorf("read settings: %w", err)
		}
		i := slices.IndexFunc(all, func(one Setting) bool { return one.Number == number && one.Version == version })
		switch {
		case i < 0:
			return problem.New(problem.NotFound, "there is no such version")
		case all[i].State != SettingProposed:
			return problem.Newf(problem.StateConflict, "the version is %s", all[i].State)
		}
		out = all[i]
		out.DecidedBy, out.DecidedByName, out.DecidedAt, out.DecidedText = by.ID, by.Name, s.now(), text
		if err := how(ctx, all, &out); err != nil {
			return err
		}
		return s.env.Store.SetSetting(ctx, out, SettingProposed)
	})
	if err != nil {
		return Setting{}, fmt.Errorf("decide about a %s: %w", kind, err)
	}
	return out, nil
}

// StopRule ends a rule at once, by one person: it only makes more work.
func (s *Service) StopRule(ctx context.Context, by Person, number uint64, text string) (Setting, error) {
	text, err := readText(text)
	if err != nil {
		return Setting{}, err
	}
	var out Setting
	err = s.env.Store.InTx(ctx, func(ctx context.Context) error {
		all, err := s.env.Store.Settings(ctx, SettingRule, InForce)
		if err != nil {
			return fmt.Errorf("read settings: %w", err)
		}
		i := slices.IndexFunc(all, func(one Setting) bool { return one.Number == number })
		if i < 0 {
			return problem.New(problem.StateConflict, "the rule is not in force")
		}
		out = all[i]
		out.State, out.DecidedText = SettingStopped, by.Name+": "+text
		if err := s.env.Store.SetSetting(ctx, out, InForce); err != nil {
			return err
		}
		return s.recordSetting(ctx, out, entry.HQCaseSetting{By: by.ID, Over: true})
	})
	if err != nil {
		return Setting{}, fmt.Errorf("stop rule: %w", err)
	}
	return out, nil
}

// settingsShard is the shard of HQ's journal in which settings are written.
const settingsShard = 0

func (s *Service) recordSetting(ctx context.Context, one Setting, f entry.HQCaseSetting) error {
	f.Rule, f.Version, f.At = one.Number, one.Version, s.now().UnixMilli()
	if err := s.env.Journal.Append(ctx, hqjournal.Fact{Shard: settingsShard, Kind: entry.KindHQCaseSetting, Body: f}); err != nil {
		return fmt.Errorf("write into HQ's journal: %w", err)
	}
	return nil
}
