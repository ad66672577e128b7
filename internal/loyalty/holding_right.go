package loyalty

import (
	"bytes"
	"slices"
)

// RightKind says how a right was made. Numbers are stored.
type RightKind uint8

// Kinds of rights.
const (
	RightUnmade     RightKind = 0 // named by a fact, and not made yet
	RightGranted    RightKind = 1 // by HQ, ahead of need
	RightAuthorised RightKind = 2 // by HQ, asked for by the holder
	RightLent       RightKind = 3 // by another holder out of its own
	RightEarned     RightKind = 4 // by the sale that earned the points
)

// RightEnd says how a right ended. Numbers are stored; those above RightReleased are
// one more than the cause of HQ's taking back.
type RightEnd uint8

// Ends of rights.
const (
	RightOpen     RightEnd = 0
	RightReleased RightEnd = 1 // by its holder
	RightEnded    RightEnd = 2 // the holder's journal past its end had arrived
	RightGrace    RightEnd = 3 // its holder was not heard of within the grace
	RightLost     RightEnd = 4 // its holder was declared lost
	RightReplaced RightEnd = 5 // its holder has another epoch, or was shut out
)

// HeldRight is a right, an amount that one terminal may redeem without asking anybody. Left is
// Amount less Used, and below zero while it was used before it was made: then it counts
// for nothing. Since is when the first fact that named it took effect. Fault is why
// less was lent than the lender said, or why less is left than the holder counts on.
type HeldRight struct {
	ID     ID
	Holder ID // the terminal
	Epoch  uint32
	Store  ID
	Kind   RightKind
	End    RightEnd
	Fault  LossCause
	Amount int64
	Used   int64
	MadeAt int64
	EndsAt int64
	Since  int64
	Parent ID
}

// Over reports whether nothing changes the right any more: it was made, and it ended. One
// that ended before it was made takes what its maker says of it.
func (r HeldRight) Over() bool { return r.Kind != RightUnmade && r.End != RightOpen }

// Left is what the holder may still redeem.
func (r HeldRight) Left() int64 {
	if r.Kind == RightUnmade || r.End != RightOpen {
		return 0
	}
	return max(0, r.Amount-r.Used)
}

// Right returns the right with this id, or nil.
func (h *Holding) Right(id ID) *HeldRight {
	if i, found := h.findRight(id); found {
		return &h.Rights[i]
	}
	return nil
}

func (h *Holding) findRight(id ID) (int, bool) {
	return slices.BinarySearchFunc(h.Rights, id, func(r HeldRight, id ID) int { return bytes.Compare(r.ID[:], id[:]) })
}

// PutRight adds a right as it was stored, or replaces it. It moves nothing.
func (h *Holding) PutRight(r HeldRight) {
	i, found := h.findRight(r.ID)
	if found {
		h.Rights[i] = r
		return
	}
	h.Rights = slices.Insert(h.Rights, i, r)
}

// Nominal is what all rights together may still redeem. What of it is more than
// Allowance is uncovered: there are no lots for it.
func (h Holding) Nominal() int64 {
	var sum int64
	for i := range h.Rights {
		sum = min(sum+h.Rights[i].Left(), MaxAmount)
	}
	return sum
}

// Forget leaves out rights that ended for good and whose time was over before a moment:
// a fact that names one then finds it unknown.
func (h *Holding) Forget(before int64) {
	h.Rights = slices.DeleteFunc(h.Rights, func(r HeldRight) bool { return r.End != RightOpen && max(r.EndsAt, r.Since) < before })
}

// use counts an amount against a right.
func (r *HeldRight) use(amount int64) (err error) {
	r.Used, err = Add(r.Used, amount)
	return err
}

// Uncovered is what rights may still redeem and no lot pays for.
func (h Holding) Uncovered() int64 { return h.Nominal() - h.Allowance }

// named returns a right, made up as unmade for this holder when nothing named it before.
func (h *Holding) named(id, holder ID, epoch uint32, at int64) *HeldRight {
	i, found := h.findRight(id)
	if !found {
		h.Rights = slices.Insert(h.Rights, i, HeldRight{ID: id, Holder: holder, Epoch: epoch, Since: at})
	}
	return &h.Rights[i]
}

// MakeRight makes a right; what is free covers it. A right is made once: made again, or
// after it ended, it moves nothing. What another terminal than its holder said about the
// id before it was made counts for nothing.
func (h *Holding) MakeRight(r HeldRight) ([]Move, error) {
	was := h.named(r.ID, r.Holder, r.Epoch, r.MadeAt)
	if was.Kind != RightUnmade || r.Kind == RightUnmade || r.Amount < 0 || r.Amount > MaxAmount {
		return nil, nil
	}
	r.Since = was.Since
	if was.Holder == r.Holder && was.Epoch == r.Epoch || was.End > RightReleased {
		r.Used, r.End = was.Used, was.End
	}
	*was = r
	return h.cover(nil)
}

// CloseRight ends a right for good; what was left of it, which it returns, is free
// again. A right that ended before stays as it ended, and only its holder can release
// it; HQ ends the right of any.
func (h *Holding) CloseRight(id, by ID, epoch uint32, end RightEnd, at int64) (left int64, moves []Move, err error) {
	r := h.named(id, by, epoch, at)
	if r.End != RightOpen || end == RightReleased && (r.Holder != by || r.Epoch != epoch) {
		return 0, nil, nil
	}
	left = r.Left()
	r.End = end
	moves, err = h.cover(nil)
	return left, moves, err
}

// Lend makes child out of the lender's right parent, which has as much less. What the
// fence keeps within is lent, no more; child then says why. A parent that is not made
// yet owes what is lent.
func (h *Holding) Lend(parent, lender ID, epoch uint32, child HeldRight, f Fence) ([]Move, error) {
	if was := h.Right(child.ID); was != nil && was.Kind != RightUnmade || parent == child.ID {
		return nil, nil // lent already
	}
	if err := h.named(parent, lender, epoch, child.MadeAt).use(f.Within); err != nil {
		return nil, err
	}
	if f.Within < child.Amount {
		child.Fault = f.Cause()
	}
	child.Amount, child.Kind, child.Parent = f.Within, RightLent, parent
	return h.MakeRight(child)
}

// Fence is how far a use of a right is borne out by it. Within is the part that is; End
// is how the right had ended.
type Fence struct {
	Amount  int64
	Within  int64
	Unmade  bool
	Foreign bool // by another terminal than the holder
	End     RightEnd
	Fault   LossCause
}

// Fence says how much of amount a terminal may use of a right.
func (h *Holding) Fence(id, user ID, epoch uint32, amount int64) Fence {
	f := Fence{Amount: amount}
	r := h.Right(id)
	if r != nil {
		f.End = r.End
	}
	switch {
	case r == nil || r.Kind == RightUnmade:
		f.Unmade, f.Within = true, amount
		f.Foreign = r != nil && (r.Holder != user || r.Epoch != epoch)
	default:
		f.Foreign, f.Fault = r.Holder != user || r.Epoch != epoch, r.Fault
		f.Within = min(amount, r.Left())
	}
	if f.Foreign || f.End != RightOpen {
		f.Within = 0
	}
	return f
}

// Spending is a redemption on a right: Within is what the right had, Beyond the rest.
type Spending struct {
	Redemption
	Within int64
	Beyond int64
}

// Spend redeems into the book to what a fence was made for. The part within takes the
// lots that cover rights, first expiry first, and what no lot covers is overdrawn. All
// else, and all of a right that is not made yet, takes what is free and overdraws too.
func (h *Holding) Spend(id, user ID, epoch uint32, f Fence, at int64, to Book) (Spending, []Move, error) {
	if f.Amount <= 0 || f.Within < 0 || f.Within > f.Amount {
		return Spending{}, nil, ErrOverflow
	}
	if _, err := Add(h.Overdraft, f.Amount); err != nil {
		return Spending{}, nil, err
	}
	done := Spending{Within: f.Within, Beyond: f.Amount - f.Within}
	covered, free := int64(0), min(f.Amount, h.Free)
	if f.Within > 0 {
		if err := h.named(id, user, epoch, at).use(f.Within); err != nil {
			return Spending{}, nil, err
		}
	}
	if !f.Unmade {
		covered, free = min(f.Within, h.Allowance), min(done.Beyond, h.Free)
	}
	takes, moves, err := h.takeFrom(BookAllowance, covered, to)
	if err != nil {
		return Spending{}, nil, err
	}
	more, others, err := h.takeFrom(BookFree, free, to)
	if err != nil {
		return Spending{}, nil, err
	}
	done.Takes, moves = append(takes, more...), append(moves, others...)
	done.Short = f.Amount - covered - free
	h.Overdraft += done.Short
	moves, err = h.cover(appendMove(moves, Move{From: BookOverdraft, To: to, Amount: done.Short}))
	return done, moves, err
}

// takeFrom spends amount of vested lots out of a book of the holding.
func (h *Holding) takeFrom(from Book, amount int64, to Book) ([]Take, []Move, error) {
	if from == BookAllowance {
		h.Allowance -= amount
		h.Free += amount
	}
	takes, moves, err := h.take(amount, to, func(l *Lot, n int64) { l.Spent += n })
	for i := range moves {
		moves[i].From = from
	}
	return takes, moves, err
}

// OnRight is how much of a spending the right had, among its points from the first from
// to the first to that are undone: what was beyond the right is undone first.
func (s Spending) OnRight(from, to int64) int64 {
	return max(0, to-s.Beyond) - max(0, from-s.Beyond)
}

// Regrow gives a right back what was undone of uses of it by its holder. The points
// come with Restore, which must follow at once. It reports whether the right was open.
func (h *Holding) Regrow(id, holder ID, epoch uint32, amount int64) bool {
	r := h.Right(id)
	if r == nil || r.End != RightOpen || r.Holder != holder || r.Epoch != epoch || amount > r.Used {
		return false
	}
	r.Used -= amount
	return true
}

// Wither takes what is left of a right down by at most amount: its points were taken
// back. Unearn or TakeBack must follow at once.
func (h *Holding) Wither(id ID, amount int64) {
	r := h.Right(id)
	if r == nil {
		return
	}
	n := min(amount, r.Left())
	if r.Used += n; n > 0 && r.Fault == "" {
		r.Fault = LossPolicy // its holder need not know, and may spend what is gone
	}
}

// reserve brings Allowance to what rights may redeem, as far as lots bear it.
func (h *Holding) reserve(moves []Move) []Move {
	if lack := min(h.Nominal()-h.Allowance, h.Free); lack > 0 {
		h.Free -= lack
		h.Allowance += lack
		moves = append(moves, Move{From: BookFree, To: BookAllowance, Amount: lack})
	}
	return moves
}

// unreserve frees what more is set aside than rights may redeem.
func (h *Holding) unreserve(moves []Move) []Move {
	if more := h.Allowance - h.Nominal(); more > 0 {
		h.Allowance -= more
		h.Free += more
		moves = append(moves, Move{From: BookAllowance, To: BookFree, Amount: more})
	}
	return moves
}
