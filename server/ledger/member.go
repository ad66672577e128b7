package ledger

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// MemberChange is a member made or changed. Holdings and Marks of Member are
// ignored. Digest is the salted hash of the personal data kept elsewhere. Updated says that
// a new issue of the pass is an update, which the phone gets by itself.
type MemberChange struct {
	Member  wire.Member
	Digest  []byte
	Updated bool
}

// PutMember is PutMembers of one.
func (l *Ledger) PutMember(ctx context.Context, m wire.Member, by uuid.UUID, digest []byte) error {
	return l.PutMembers(ctx, by, []MemberChange{{Member: m, Digest: digest}})
}

// PutMembers makes or changes members in the caller's transaction: HQ's journal gets
// a fact for each, the feed each member with the account's holdings. Accounts that do
// not exist are opened. However many there are, they take a handful of statements, in
// the order of locks that all writers keep.
func (l *Ledger) PutMembers(ctx context.Context, by uuid.UUID, changes []MemberChange) error {
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		changes, err := l.withReplaced(ctx, changes)
		if err != nil {
			return err
		}
		rows := make([]MemberRow, len(changes))
		records := make([][]byte, len(changes))
		accounts := map[AccountKey]bool{}
		for i, c := range changes {
			if rows[i], records[i], err = memberRow(c.Member); err != nil {
				return err
			}
			accounts[rows[i].AccountKey] = true
		}
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
			issues[i] = issueOf(row, changes[i].Member, written[i].RecordedAt)
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

// issueOf is the issue of the pass that a member has been given.
func issueOf(row MemberRow, m wire.Member, since int64) PassIssue {
	updated := len(m.Replaced) > 0 && m.Replaced[0].Issue+1 == m.Issue
	return PassIssue{PassKey{row.Shard, row.Member}, loyalty.Issued{Issue: m.Issue, Since: since, Updated: updated}}
}

// longestIssueGrace is how long an issue of a pass may matter that was replaced, in
// milliseconds.
const longestIssueGrace = loyalty.MostIssueGrace * 24 * 3600 * 1000

// withReplaced adds to members which issues of their passes updates replaced, where the
// caller does not say so.
func (l *Ledger) withReplaced(ctx context.Context, changes []MemberChange) ([]MemberChange, error) {
	var keys []PassKey
	for _, c := range changes {
		if m := c.Member; m.Issue > 1 && m.Replaced == nil {
			keys = append(keys, PassKey{shard.Of(m.Account), m.ID})
		}
	}
	if len(keys) == 0 {
		return changes, nil
	}
	issues, err := l.issuesOf(ctx, keys)
	if err != nil {
		return nil, err
	}
	changes, now := slices.Clone(changes), l.o.Clock.Now().UnixMilli()
	for i := range changes {
		m := &changes[i].Member
		if m.Issue <= 1 || m.Replaced != nil {
			continue
		}
		known := issues[PassKey{shard.Of(m.Account), m.ID}]
		if !slices.ContainsFunc(known, func(k loyalty.Issued) bool { return k.Issue == m.Issue }) {
			known = append(known, loyalty.Issued{Issue: m.Issue, Since: now, Updated: changes[i].Updated})
		}
		_, m.Replaced = loyalty.IssuesAt(known, math.MaxInt64)
		m.Replaced = slices.DeleteFunc(m.Replaced, func(r loyalty.Replaced) bool { return r.At < now-longestIssueGrace })
	}
	return changes, nil
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
