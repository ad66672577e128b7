package till

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// ApprovalLife is how long an approval can be used.
const ApprovalLife = 3 * time.Minute

// Operation is what a manager approves.
type Operation string

// What can be approved.
const (
	OpVoid   Operation = "void"
	OpReturn Operation = "return"
	OpRedeem Operation = "redeem" // on a typed card number
)

// NewApproval is a manager's PIN typed for one thing: the void of Sale; the return of
// goods of Sale, or of the receipt SaleReceipt, or, with neither, of Refund minor units;
// redeeming for the card that Scan is of.
type NewApproval struct {
	Caller      Caller
	Manager     uuid.UUID
	PIN         string
	For         Operation
	Sale        uuid.UUID
	SaleReceipt string
	Refund      int64
	Scan        uuid.UUID
}

// Approval is what a manager approved.
type Approval struct {
	ID        uuid.UUID // secret
	For       Operation
	Manager   Cashier
	ExpiresAt time.Time
}

// approval is one that can still be used. It is for the session that asked for it.
type approval struct {
	id, session uuid.UUID
	op          Operation
	about       string
	manager     Cashier
	until       time.Duration
}

// approvals are kept in memory, as many as anybody could have asked for lately.
type approvals struct {
	mu   sync.Mutex
	mono func() time.Duration
	kept map[uuid.UUID]approval
}

func newApprovals(mono func() time.Duration) *approvals {
	return &approvals{mono: mono, kept: map[uuid.UUID]approval{}}
}

func (a *approvals) keep(one approval) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, k := range a.kept {
		if a.mono() >= k.until {
			delete(a.kept, id)
		}
	}
	a.kept[one.id] = one
}

// good returns an approval that fits, and leaves it there.
func (a *approvals) good(id, session uuid.UUID, op Operation, about []string) (approval, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, known := a.kept[id]
	if !known || a.mono() >= k.until || k.session != session || k.op != op || !slices.Contains(about, k.about) {
		return approval{}, problem.New(problem.ApprovalInvalid, "")
	}
	return k, nil
}

// take returns an approval that fits and uses it up.
func (a *approvals) take(id, session uuid.UUID, op Operation, about []string) (approval, error) {
	k, err := a.good(id, session, op, about)
	if err != nil {
		return k, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, still := a.kept[id]; !still {
		return approval{}, problem.New(problem.ApprovalInvalid, "it was used meanwhile")
	}
	delete(a.kept, id)
	return k, nil
}

// giveBack makes an approval good again whose use came to nothing.
func (a *approvals) giveBack(k approval) { a.keep(k) }

// What an approval is about, as text.
func aboutSale(id uuid.UUID) string       { return "sale " + id.String() }
func aboutReceipt(number string) string   { return "receipt " + number }
func aboutRefund(minor int64) string      { return "refund " + strconv.FormatInt(minor, 10) }
func aboutMember(member uuid.UUID) string { return "member " + member.String() }

// about says what an approval that is asked for is about.
func (t *Till) about(n NewApproval) (string, error) {
	switch {
	case n.For == OpVoid && n.Sale != uuid.Nil:
		return aboutSale(n.Sale), nil
	case n.For == OpReturn && n.Sale != uuid.Nil:
		return aboutSale(n.Sale), nil
	case n.For == OpReturn && n.SaleReceipt != "":
		return aboutReceipt(n.SaleReceipt), nil
	case n.For == OpReturn:
		return aboutRefund(n.Refund), nil
	case n.For == OpRedeem && n.Scan != uuid.Nil:
		p, err := t.desk.scan(n.Scan)
		return aboutMember(p.pass.Subject), err
	case n.For == OpVoid:
		return "", wrongField("sale", "is missing")
	case n.For == OpRedeem:
		return "", wrongField("scan", "is missing")
	}
	return "", wrongField("for", "is not known")
}

// aboutReturn is what a return can be approved as: the sale or the receipt it names, or
// with neither its money.
func aboutReturn(r Return, refund int64) []string {
	var out []string
	if r.Sale != uuid.Nil {
		out = append(out, aboutSale(r.Sale))
	}
	if r.SaleReceipt != "" {
		out = append(out, aboutReceipt(r.SaleReceipt))
	}
	if len(out) == 0 {
		out = append(out, aboutRefund(refund))
	}
	return out
}

func isManager(c wire.Cashier) bool { return c.Active && c.Role == wire.RoleManager }
