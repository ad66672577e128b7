package programme

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/wire"
)

// MaxBatch is how many members are enrolled at once, at most.
const MaxBatch = 1000

// Member is a shopper in the programme, as HQ keeps one. Alias is what tills show;
// Reference is the number in the owner's other systems, unique, and never leaves
// HQ. Salt hides the reference in the digest that HQ's journal keeps of it.
type Member struct {
	ID        uuid.UUID
	Account   uuid.UUID
	Alias     string
	Reference string
	Salt      []byte
	Issue     uint16
	Blocked   bool
	Version   uint64
	CreatedAt time.Time
}

// NewMember is what is told of a shopper to be enrolled. Both may be empty.
type NewMember struct {
	Alias     string
	Reference string
}

// AddMembers enrols members, all or none, each with an account of their own.
// pointer is the JSON pointer before a member's index in a refusal; with one member
// and an empty pointer the index is left out.
func (p *Programme) AddMembers(ctx context.Context, by uuid.UUID, pointer string, wanted []NewMember) ([]Member, error) {
	r := refusal{}
	r.unless(len(wanted) >= 1 && len(wanted) <= MaxBatch, pointer, fmt.Sprintf("must have 1 to %d members", MaxBatch))
	members := make([]Member, 0, len(wanted))
	for i, w := range wanted {
		at := pointer
		if pointer != "" {
			at += "/" + strconv.Itoa(i)
		}
		w.Alias, w.Reference = strings.TrimSpace(w.Alias), strings.TrimSpace(w.Reference)
		r.text(at+"/alias", w.Alias, 0, 40)
		r.text(at+"/reference", w.Reference, 0, 64)
		salt := make([]byte, 16)
		if _, err := io.ReadFull(p.env.Random, salt); err != nil {
			return nil, fmt.Errorf("read salt: %w", err)
		}
		members = append(members, Member{
			ID: p.env.NewID(), Account: p.env.NewID(), Alias: w.Alias, Reference: w.Reference,
			Salt: salt, Issue: 1, Version: 1, CreatedAt: p.now(),
		})
	}
	if err := r.err("the members cannot be enrolled"); err != nil {
		return nil, err
	}
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		if err := p.env.Keeper.AddMembers(ctx, members); err != nil {
			return err
		}
		return p.tell(ctx, by, members...)
	})
	if err != nil {
		return nil, fmt.Errorf("enrol members: %w", err)
	}
	return members, nil
}

// Block keeps a member's pass from being accepted. Doing it twice is doing it once.
func (p *Programme) Block(ctx context.Context, by, id uuid.UUID) (Member, error) {
	return p.change(ctx, by, id, func(m *Member) (bool, error) {
		was := m.Blocked
		m.Blocked = true
		return !was, nil
	})
}

// Unblock lifts a block.
func (p *Programme) Unblock(ctx context.Context, by, id uuid.UUID) (Member, error) {
	return p.change(ctx, by, id, func(m *Member) (bool, error) {
		was := m.Blocked
		m.Blocked = false
		return was, nil
	})
}

// Reissue raises the issue number of a member's pass, because somebody else may have a
// copy. Tills accept the newest they know and the one before.
func (p *Programme) Reissue(ctx context.Context, by, id uuid.UUID) (Member, error) {
	return p.raise(ctx, by, id, false)
}

// Update raises the issue number of a member's pass, which the phone gets by itself. Tills
// accept the issues before for the grace of the policy, since a phone may miss it.
func (p *Programme) Update(ctx context.Context, id uuid.UUID) (Member, error) {
	return p.raise(ctx, uuid.Nil, id, true)
}

func (p *Programme) raise(ctx context.Context, by, id uuid.UUID, update bool) (Member, error) {
	return p.changeAs(ctx, by, id, update, func(m *Member) (bool, error) {
		if m.Issue == ^uint16(0) {
			return false, problem.New(problem.StateConflict, "the pass was issued 65535 times; enrol the member again")
		}
		m.Issue++
		return true, nil
	})
}

func (p *Programme) change(ctx context.Context, by, id uuid.UUID, apply func(*Member) (changed bool, err error)) (Member, error) {
	return p.changeAs(ctx, by, id, false, apply)
}

func (p *Programme) changeAs(ctx context.Context, by, id uuid.UUID, update bool, apply func(*Member) (changed bool, err error)) (Member, error) {
	var m Member
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		var err error
		if m, err = p.env.Keeper.Member(ctx, id); err != nil {
			return err
		}
		changed, err := apply(&m)
		if err != nil || !changed {
			return err
		}
		m.Version++
		if err := p.env.Keeper.SetMember(ctx, m); err != nil {
			return err
		}
		return p.tellAs(ctx, by, update, m)
	})
	if err != nil {
		return Member{}, fmt.Errorf("change member: %w", err)
	}
	return m, nil
}

// tell hands members to the ledger, which journals them and tells the stores.
func (p *Programme) tell(ctx context.Context, by uuid.UUID, members ...Member) error {
	return p.tellAs(ctx, by, false, members...)
}

// tellAs is tell of members whose new issue of the pass is an update or not.
func (p *Programme) tellAs(ctx context.Context, by uuid.UUID, update bool, members ...Member) error {
	changes := make([]ledger.MemberChange, len(members))
	for i, m := range members {
		changes[i] = ledger.MemberChange{Digest: digest(m), Updated: update, Member: wire.Member{
			ID: m.ID, Account: m.Account, Alias: m.Alias, Issue: m.Issue, Blocked: m.Blocked,
		}}
	}
	return p.env.Ledger.PutMembers(ctx, by, changes)
}

// digest commits HQ's journal to the reference and the alias without telling them.
// Neither holds a zero byte.
func digest(m Member) []byte {
	if m.Reference == "" && m.Alias == "" {
		return nil
	}
	sum := sha256.Sum256([]byte("tallystick member v1\x00" + string(m.Salt) + m.Reference + "\x00" + m.Alias))
	return sum[:]
}

// Member returns one member.
func (p *Programme) Member(ctx context.Context, id uuid.UUID) (Member, error) {
	return p.env.Keeper.Member(ctx, id)
}

// MembersOf returns the members of these ids that exist, in any order.
func (p *Programme) MembersOf(ctx context.Context, ids []uuid.UUID) ([]Member, error) {
	return p.env.Keeper.MembersOf(ctx, ids)
}

// MemberByReference returns who has a number in the owner's other systems.
func (p *Programme) MemberByReference(ctx context.Context, reference string) (Member, error) {
	id, err := p.env.Keeper.MemberOf(ctx, reference)
	if err != nil {
		return Member{}, err
	}
	return p.env.Keeper.Member(ctx, id)
}

// Members lists or searches members from after on; see Keeper. What no alias and no
// reference may hold finds nobody.
func (p *Programme) Members(ctx context.Context, query string, after uuid.UUID, limit int) ([]Member, error) {
	if !utf8.ValidString(query) || strings.ContainsFunc(query, unicode.IsControl) {
		return nil, nil
	}
	return p.env.Keeper.Members(ctx, strings.TrimSpace(query), after, limit)
}

// CountMembers returns how many members there are.
func (p *Programme) CountMembers(ctx context.Context) (int64, error) {
	return p.env.Keeper.CountMembers(ctx)
}
