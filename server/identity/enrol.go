package identity

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// Kinds implements ledger.Beside.
func (s *Service) Kinds() []entry.Kind { return []entry.Kind{entry.KindEnrolMember} }

// Undone implements ledger.Beside; it concerns no enrolment.
func (s *Service) Undone(context.Context, ledger.Entry, uuid.UUID) error { return nil }

// Take implements ledger.Beside: it makes members of enrolments. Taking one again
// changes nothing.
func (s *Service) Take(ctx context.Context, entries []ledger.Entry) error {
	for _, e := range entries {
		err := s.o.Store.InTx(ctx, func(ctx context.Context) error { return s.take(ctx, e) })
		if err != nil {
			return fmt.Errorf("enrol member of entry %d of %s: %w", e.Seq, e.Terminal, err)
		}
	}
	s.Wake() // what was used is made up for
	return nil
}

func (s *Service) take(ctx context.Context, e ledger.Entry) error {
	m, err := bodyOf(e)
	if err != nil {
		return s.raise(ctx, e, ledger.EnrolmentInvalid, uuid.Nil, "the enrolment contradicts itself")
	}
	row, found, err := s.o.Store.Identity(ctx, e.Terminal, m.Member)
	switch {
	case err != nil:
		return err
	case found && row.State == Used && row.UsedBy == e.Hash:
		return nil
	case found && row.State == Used:
		return s.raise(ctx, e, ledger.IdentityRepeated, m.Member, "two entries give one identity to two people; both hold the same pass")
	case found && !bytes.Equal(row.Pass, m.Pass), !found && !s.signed(m):
		return s.raise(ctx, e, ledger.EnrolmentInvalid, m.Member, "head office did not issue this identity to the terminal")
	case !found:
		row = Row{Member: m.Member, Pass: m.Pass, IssuedAt: e.OccurredAt}
	}
	// Nobody knows who holds the passes of a terminal that was out when it delivered.
	added, err := s.o.Programme.AddIssued(ctx, m.Member, m.Account, !e.Proven)
	if err != nil {
		return err
	}
	if !added {
		return s.raise(ctx, e, ledger.IdentityRepeated, m.Member, "the member was there before this enrolment")
	}
	if err := s.o.Ledger.Tie(ctx, m.Member, e.Store); err != nil {
		return err
	}
	row.Lane = allowance.Lane{ID: e.Terminal, Epoch: e.Epoch, Store: e.Store}
	row.State, row.UsedBy, row.Told = Used, e.Hash, false
	return s.o.Store.PutIdentities(ctx, []Row{row})
}

func bodyOf(e ledger.Entry) (m entry.EnrolMember, err error) {
	env, err := entry.Decode(e.Raw)
	if err == nil {
		m, err = entry.DecodeBody[entry.EnrolMember](env)
	}
	if err == nil {
		err = m.Check()
	}
	return m, err
}

// signed says whether HQ signed the pass: it has lost the record of an identity that it
// issued after the backup it was restored from.
func (s *Service) signed(m entry.EnrolMember) bool {
	var token passtoken.Token
	if len(m.Pass) != len(token) {
		return false
	}
	copy(token[:], m.Pass)
	v, err := passtoken.Verifier{Kinds: []passtoken.Kind{passtoken.KindMember}}.Verify(token.Text(), s.o.Clock.Now(), 0, s.o.Keys, nil)
	return err == nil && v.Pass.Subject == m.Member && v.Pass.Issue == m.Issue
}

func (s *Service) raise(ctx context.Context, e ledger.Entry, kind ledger.ExceptionKind, member uuid.UUID, cause string) error {
	return s.o.Store.AddExceptions(ctx, []ledger.Exception{{
		ID: uuid.NewSHA1(uuid.Nil, append(e.Hash[:], kind...)), Shard: shard.Of(e.Terminal), Kind: kind, State: ledger.ExceptionOpen, Liable: "store", Cause: cause,
		Source: e.Hash, Terminal: e.Terminal, Epoch: e.Epoch, Seq: e.Seq, Store: e.Store, Member: member, OccurredAt: e.OccurredAt, RecordedAt: e.RecordedAt,
	}})
}
