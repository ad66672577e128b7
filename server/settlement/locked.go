package settlement

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/sync/wire"
)

// keepNames keeps what the documents of a month go by once it is locked.
func (s *Service) keepNames(ctx context.Context, m Month) error {
	last, err := s.env.Store.LastSettlementTerm(ctx)
	if err != nil {
		return fmt.Errorf("count terms: %w", err)
	}
	places, err := s.env.Places(ctx)
	if err != nil {
		return fmt.Errorf("read stores: %w", err)
	}
	body, err := wire.Marshal(places)
	if err != nil {
		return err
	}
	if err := s.env.Store.PutSettlementNames(ctx, Names{Month: m, Terms: last, Body: body}); err != nil {
		return fmt.Errorf("keep names: %w", err)
	}
	return nil
}

// TermsOf are the terms that the documents of a month go by. Of a locked month these are the
// terms of the draft that was locked, the stores and the accounts as they were when it was;
// where the chart had none for a role then, it is the first that was recorded since. Of a month
// that was locked before names were kept, the stores are those of now.
func (s *Service) TermsOf(ctx context.Context, m Month) (*clearing.Terms, error) {
	month, err := s.readable(ctx, m)
	if err != nil {
		return nil, err
	}
	if month.State != clearing.Locked {
		terms, _, err := s.Terms(ctx)
		return terms, err
	}
	names, err := s.env.Store.SettlementNames(ctx, m)
	if problem.CodeOf(err) == problem.NotFound {
		names, err = Names{Terms: month.Terms}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read names of %s: %w", m, err)
	}
	t, err := s.termsThen(ctx, month.Terms, names.Terms)
	if err != nil {
		return nil, err
	}
	if len(names.Body) > 0 {
		t.Places, err = wire.Unmarshal[[]clearing.Place](names.Body)
	} else {
		t.Places, err = s.env.Places(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read stores of %s: %w", m, err)
	}
	return t.Build(), nil
}

// termsThen are the terms through a number, the accounts through another one, and those
// that were missing by then.
func (s *Service) termsThen(ctx context.Context, last, lastAccount uint64) (*clearing.Terms, error) {
	type desk struct {
		party uuid.UUID
		role  clearing.Role
	}
	t, then, since := &clearing.Terms{}, map[desk]bool{}, map[desk]bool{}
	err := s.eachTerm(ctx, "", 0, func(term Term) error {
		if term.Sort != SortAccount {
			if term.Number > last {
				return nil
			}
			return take(t, term)
		}
		if err := take(t, term); err != nil {
			return err
		}
		n := len(t.Accounts) - 1
		at := desk{t.Accounts[n].Party, t.Accounts[n].Role}
		if term.Number <= lastAccount {
			then[at] = true
			return nil
		}
		if then[at] || then[desk{clearing.Programme, at.role}] || since[at] {
			t.Accounts = t.Accounts[:n]
		}
		since[at] = true
		return nil
	})
	return t, err
}
