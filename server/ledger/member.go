package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// MemberChange is a member made or changed. Holdings and Marks of Member are
// ignored. Digest is the salted hash of the personal data kept elsewhere.
type MemberChange struct {
	Member wire.Member
	Digest []byte
}

// PutMember is PutMembers of one.
func (l *Ledger) PutMember(ctx context.Context, m wire.Member, by uuid.UUID, digest []byte) error {
	return l.PutMembers(ctx, by, []MemberChange{{m, digest}})
}

// PutMembers makes or changes members in the caller's transaction: HQ's journal gets
// a fact for each, the feed each member with the account's holdings. Accounts that do
// not exist are opened. However many there are, they take a handful of statements, in
// the order of locks that all writers keep.
func (l *Ledger) PutMembers(ctx context.Context, by uuid.UUID, changes []MemberChange) error {
	rows := make([]MemberRow, len(changes))
	records := make([][]byte, len(changes))
	accounts := map[AccountKey]bool{}
	for i, c := range changes {
		var err error
		if rows[i], records[i], err = memberRow(c.Member); err != nil {
			return err
		}
		accounts[rows[i].AccountKey] = true
	}
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		keys := keysOf(accounts)
		if err := l.o.Store.OpenAccounts(ctx, keys); err != nil {
			return fmt.Errorf("open accounts: %w", err)
		}
		s := newSet()
		if err := l.loadAccounts(ctx, s, keys); err != nil {
			return err
		}
		if err := l.o.Store.PutMembers(ctx, rows); err != nil {
			return fmt.Errorf("write members: %w", err)
		}
		facts := make([]hqjournal.Fact, len(changes))
		for i, row := range rows {
			a := s.accounts[row.Account]
			item, err := memberItem(a, row)
			if err != nil {
				return err
			}
			facts[i] = hqjournal.Fact{
				Shard: row.Shard, Kind: entry.KindHQMember, Publish: []feed.Change{{Item: item}},
				Body: entry.HQRecord{ID: row.Member, Version: a.version, Record: records[i], By: by, Digest: changes[i].Digest},
			}
		}
		written, err := l.o.Journal.Write(ctx, facts...)
		if err != nil {
			return err
		}
		issues := make([]PassIssue, len(rows))
		for i, row := range rows {
			issues[i] = PassIssue{PassKey{row.Shard, row.Member}, changes[i].Member.Issue, written[i].RecordedAt}
		}
		if err := l.noteIssues(ctx, issues); err != nil {
			return err
		}
		// The versions just told must not be told again of something else.
		raised, err := s.changes()
		if err != nil {
			return err
		}
		if err := l.o.Store.SaveChanges(ctx, raised); err != nil {
			return fmt.Errorf("raise versions: %w", err)
		}
		return l.foldAllEarlier(ctx, slices.DeleteFunc(keys, func(k AccountKey) bool { return s.accounts[k.Account].version > 1 }))
	})
}

// foldAllEarlier folds what happened before each of new accounts was opened.
func (l *Ledger) foldAllEarlier(ctx context.Context, keys []AccountKey) error {
	if len(keys) == 0 {
		return nil
	}
	rows, err := l.o.Store.AccountSources(ctx, keys)
	if err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	waiting := map[AccountKey]bool{}
	for _, r := range rows {
		waiting[r.AccountKey] = true
	}
	for _, key := range keysOf(waiting) {
		if err := l.foldEarlier(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// memberRow is a member as kept and as HQ's journal records it: the alias is free text
// of the shopper, which the feed carries and the chain does not.
func memberRow(m wire.Member) (row MemberRow, record []byte, err error) {
	if m.ID == uuid.Nil || m.Account == uuid.Nil {
		return row, nil, problem.New(problem.InvalidField, "a member has an id and an account")
	}
	m.Holdings, m.Marks = nil, nil
	profile, err := wire.Marshal(m)
	if err != nil {
		return row, nil, err
	}
	m.Alias = ""
	record, err = wire.Marshal(m)
	return MemberRow{AccountKey{shard.Of(m.Account), m.Account}, m.ID, profile}, record, err
}
