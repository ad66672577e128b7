package loyalty

import "time"

// Due is what came due at one moment: lots that vested or expired, and what that
// repaid.
type Due struct {
	At    int64
	Moves []Move
}

// Advance lets time pass until now: lots that are due vest or expire, in the order
// of their times. What expires has lapsed: it cannot be spent any more, and is breakage
// once [Holding.Break] says so. What a terminal holds as allowance does not expire.
func (h *Holding) Advance(now int64) ([]Due, error) {
	var out []Due
	for {
		at := h.NextDue()
		if at == 0 || at > now {
			return out, nil
		}
		moves, err := h.comeDue(at)
		if err != nil {
			return nil, err
		}
		out = append(out, Due{at, moves})
	}
}

// NextDue is when the next lot vests or expires, zero when none will.
func (h *Holding) NextDue() int64 {
	var next int64
	sooner := func(at int64) {
		if at != 0 && (next == 0 || at < next) {
			next = at
		}
	}
	for i := range h.Lots {
		l := &h.Lots[i]
		if l.Left == 0 {
			continue
		}
		if l.Pending {
			sooner(max(l.VestsAt, 1))
		}
		if l.Pending || h.Free > 0 {
			sooner(l.ExpiresAt)
		}
	}
	return next
}

// comeDue expires and vests what is due at a moment. What expires at the moment at
// which it vests expires.
func (h *Holding) comeDue(at int64) ([]Move, error) {
	var moves []Move
	for i := range h.Lots {
		l := &h.Lots[i]
		switch {
		case l.Left == 0:
		case l.ExpiresAt != 0 && l.ExpiresAt <= at && l.Pending:
			moves = append(moves, Move{BookPending, BookLapsed, l.Left, l.ID})
			h.Pending -= l.Left
			l.Gone, l.Lapsed, l.Left = l.Gone+l.Left, l.Lapsed+l.Left, 0
		case l.ExpiresAt != 0 && l.ExpiresAt <= at:
			gone := min(l.Left, h.Free)
			moves = appendMove(moves, Move{BookFree, BookLapsed, gone, l.ID})
			h.Free -= gone
			l.Gone, l.Lapsed, l.Left = l.Gone+gone, l.Lapsed+gone, l.Left-gone
		case l.Pending && l.VestsAt <= at:
			l.Pending = false
			h.Pending -= l.Left
			h.Free += l.Left
			moves = append(moves, Move{BookPending, BookFree, l.Left, l.ID})
		}
	}
	return h.cover(moves)
}

// Break makes breakage of what had lapsed by until, as of the day on which it expired.
// The caller knows that no fact from before then is on its way.
func (h *Holding) Break(until int64) []Due {
	var out []Due
	for i := range h.Lots {
		l := &h.Lots[i]
		if l.Lapsed == 0 || l.ExpiresAt > until {
			continue
		}
		out = append(out, Due{l.ExpiresAt, []Move{{BookLapsed, BookBreakage, l.Lapsed, l.ID}}})
		l.Lapsed = 0
	}
	return out
}

// NextBreak is when the first of what has lapsed expired, zero when nothing has.
func (h *Holding) NextBreak() int64 {
	var first int64
	for i := range h.Lots {
		if l := &h.Lots[i]; l.Lapsed > 0 && (first == 0 || l.ExpiresAt < first) {
			first = l.ExpiresAt
		}
	}
	return first
}

// Vest lets time pass until now and returns all moves.
func (h *Holding) Vest(now int64) ([]Move, error) {
	due, err := h.Advance(now)
	var moves []Move
	for _, d := range due {
		moves = append(moves, d.Moves...)
	}
	return moves, err
}

// Rolls reports whether activity would keep one of the lots alive.
func (h *Holding) Rolls() bool {
	for i := range h.Lots {
		if h.Lots[i].RollDays > 0 && h.Lots[i].Left > 0 {
			return true
		}
	}
	return false
}

// Touch keeps the lots that live by activity alive from now on. An expiry never
// moves nearer.
func (h *Holding) Touch(now int64) {
	for i := range h.Lots {
		l := &h.Lots[i]
		if l.RollDays > 0 && l.Left > 0 {
			l.ExpiresAt = max(l.ExpiresAt, endOfDayDaysLater(now, l.RollDays))
		}
	}
	h.SortLots()
}

// endOfDayDaysLater is the first instant, in UTC, after the day that lies n days
// after at.
func endOfDayDaysLater(at int64, n int32) int64 {
	y, m, d := time.UnixMilli(at).UTC().Date()
	return time.Date(y, m, d+int(n)+1, 0, 0, 0, 0, time.UTC).UnixMilli()
}
