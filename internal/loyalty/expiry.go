package loyalty

// Expiry is what of a holding expires first: how much, and when in Unix milliseconds.
// The zero value is nothing, or nothing known. Keys are on the wire and only grow.
type Expiry struct {
	At     int64 `cbor:"1,keyasint"`
	Amount int64 `cbor:"2,keyasint"`
	// Rolls: any activity of the account moves it away.
	Rolls bool `cbor:"3,keyasint,omitempty"`
}

// FirstExpiry is what expires first of what can be spent. Points that have not vested
// are not part of it: they cannot be spent before they are lost.
func (h Holding) FirstExpiry() Expiry {
	var first Expiry
	for _, l := range h.Lots {
		switch {
		case l.Left == 0 || l.ExpiresAt == 0 || l.Pending:
		case first.At == 0 || l.ExpiresAt < first.At:
			first = Expiry{At: l.ExpiresAt, Amount: l.Left, Rolls: l.RollDays > 0}
		case l.ExpiresAt == first.At:
			first.Amount += l.Left
			first.Rolls = first.Rolls || l.RollDays > 0
		}
	}
	return first
}

// Since is what a terminal did to one unit of an account after the figures it has of it.
type Since struct {
	// Redeemed is what was redeemed on any basis.
	Redeemed int64
	// EndsAt is when the first of what was earned expires; zero is never.
	EndsAt int64
	// Active: anything was done at all. Back: something was taken or given back, and only
	// head office knows from which lots.
	Active, Back bool
}

// After is what is left of it by what a terminal has done since, as far as that is
// certain. What is redeemed takes the first expiry first, so it comes off here. Nothing
// is said when all of it is redeemed, for what expires next is not known; nor when
// something was given back, when activity has moved it away, or when what was earned
// since expires no later. Nor does it tell of what has expired already, or expires
// after until.
func (e Expiry) After(s Since, now, until int64) Expiry {
	left := e.Amount - s.Redeemed
	switch {
	case e.At <= now || e.At > until || left <= 0,
		s.Back,
		s.Active && e.Rolls,
		s.EndsAt != 0 && s.EndsAt <= e.At:
		return Expiry{}
	}
	return Expiry{At: e.At, Amount: left, Rolls: e.Rolls}
}
