package loyalty

// TillRules is how the tills of one store work: who must be signed in, and what needs
// a manager. Amounts are in minor units of the store's currency. Keys are on the wire
// and only grow.
type TillRules struct {
	Version uint64 `cbor:"1,keyasint"`
	// SignIn: the till page sells only for a cashier who is signed in.
	SignIn bool `cbor:"2,keyasint,omitempty"`
	// IdleSeconds is after how long without a call a cashier is signed out; zero is
	// DefaultIdleSeconds.
	IdleSeconds int64 `cbor:"3,keyasint,omitempty"`
	// VoidOver and ReturnOver: a void of a sale of more than this, and a return of more,
	// needs a manager's approval. Nil is never; zero is always.
	VoidOver   *int64 `cbor:"4,keyasint,omitempty"`
	ReturnOver *int64 `cbor:"5,keyasint,omitempty"`
	// ReceiptNeeded: no sale without the receipt number of the till software.
	ReceiptNeeded bool `cbor:"6,keyasint,omitempty"`
}

// Bounds of IdleSeconds.
const (
	DefaultIdleSeconds = 600
	MostIdleSeconds    = 24 * 3600
)

// Idle is what IdleSeconds stands for.
func (r TillRules) Idle() int64 {
	if r.IdleSeconds <= 0 {
		return DefaultIdleSeconds
	}
	return min(r.IdleSeconds, MostIdleSeconds)
}

// VoidNeedsApproval says whether a manager must approve the void of a sale of a total.
func (r TillRules) VoidNeedsApproval(total int64) bool {
	return r.VoidOver != nil && total > *r.VoidOver
}

// ReturnNeedsApproval says whether a manager must approve giving so much back.
func (r TillRules) ReturnNeedsApproval(refund int64) bool {
	return r.ReturnOver != nil && refund > *r.ReturnOver
}

// KeyedNeedsApproval says whether a redemption on a typed card number, by a right or
// stand-in of the terminal's own, must be approved by a manager, who has seen the card.
// Approved, the number is as good as a static code. Where the policy has switched typed
// numbers off, no manager can approve.
func (p Policy) KeyedNeedsApproval() bool { return p.keyedOff() && !p.Keyed.Off }
