package account

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
)

// Share is what one member did with an account they share, in one unit. Earned is
// what came from the programme less what it took back, Spent what went to stores
// less what was restored, Brought what came from other accounts less what went
// there. Member is the zero id where no entry names one.
type Share struct {
	Member  uuid.UUID
	Unit    string
	Earned  int64
	Spent   int64
	Brought int64
	Expired int64
}

// Net is what the share adds to the account: over all members of a unit the nets
// sum to balance and pending.
func (s Share) Net() int64 { return s.Earned - s.Spent + s.Brought - s.Expired }

// sharePage is how many postings are read at once.
const sharePage = 500

// Shares breaks an account down by member. Uses of vouchers are left out.
func (a *Accounts) Shares(ctx context.Context, account uuid.UUID) ([]Share, error) {
	type key struct {
		member uuid.UUID
		unit   string
	}
	sums := map[key]*Share{}
	for cursor := ""; ; {
		postings, next, err := a.env.Ledger.History(ctx, account, cursor, sharePage)
		if err != nil {
			return nil, err
		}
		members, err := a.env.Store.SourceMembers(ctx, account, sourcesOf(postings))
		if err != nil {
			return nil, fmt.Errorf("find who did what: %w", err)
		}
		for _, p := range postings {
			k := key{members[p.Source], p.Unit}
			if strings.HasPrefix(p.Unit, loyalty.UseUnit("")) || p.From.Own() == p.To.Own() {
				continue
			}
			if sums[k] == nil {
				sums[k] = &Share{Member: k.member, Unit: k.unit}
			}
			sums[k].add(p)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	out := make([]Share, 0, len(sums))
	for _, s := range sums {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Share) int {
		if c := strings.Compare(a.Unit, b.Unit); c != 0 {
			return c
		}
		return bytes.Compare(a.Member[:], b.Member[:])
	})
	return out, nil
}

// add counts a posting between the account and the world.
func (s *Share) add(p ledger.Posting) {
	amount, other := p.Amount, p.From
	if p.From.Own() {
		amount, other = -p.Amount, p.To
	}
	switch other {
	case loyalty.BookStore:
		s.Spent -= amount
	case loyalty.BookClearing:
		s.Brought += amount
	case loyalty.BookLapsed:
		s.Expired -= amount
	default:
		s.Earned += amount
	}
}

func sourcesOf(postings []ledger.Posting) []journal.Hash {
	seen := map[journal.Hash]bool{}
	var out []journal.Hash
	for _, p := range postings {
		if !seen[p.Source] {
			seen[p.Source] = true
			out = append(out, p.Source)
		}
	}
	return out
}
