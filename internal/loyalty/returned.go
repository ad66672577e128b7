package loyalty

// Sold is a sale as a return of it looks at it. Amounts are in minor units,
// quantities in thousandths. Paid is the total less the discounts.
type Sold struct {
	Total int64
	Paid  int64
	Lines []Line
}

// Back is one return: lines with their quantities (or, without quantity, the price
// of what came back), or only what money was given back, or all that is left.
type Back struct {
	Lines  []Line
	Refund int64
	Whole  bool
}

// Returned is what has come back of a sale by all its returns. Rounding is
// cumulative: however a sale comes back in parts, all parts net to the whole.
type Returned struct {
	sold     Sold
	quantity map[uint16]int64
	value    map[uint16]int64 // came back by price
	refund   int64
	whole    bool
}

// NewReturned begins with nothing returned.
func NewReturned(sold Sold) *Returned {
	return &Returned{sold: sold, quantity: map[uint16]int64{}, value: map[uint16]int64{}}
}

// Take adds a return, as far as there is something left, and reports whether it
// says more than was left.
func (r *Returned) Take(b Back) (exceeded bool) {
	part, all := r.Of("")
	if r.whole || part == all && all > 0 {
		return true
	}
	for _, back := range b.Lines {
		exceeded = r.takeLine(back) || exceeded
	}
	if len(b.Lines) == 0 {
		refund := max(0, min(b.Refund, r.sold.Paid-r.refund))
		r.refund += refund
		exceeded = refund != b.Refund && !b.Whole
	}
	r.whole = r.whole || b.Whole
	return exceeded
}

// TakeAll adds all that is left.
func (r *Returned) TakeAll() { r.whole = true }

// Portion is how much of an amount that was given or taken for the lines of a
// category belongs to what has come back, rounded down; all of it when all came back.
func (r *Returned) Portion(amount int64, category string) int64 {
	part, whole := r.Of(category)
	switch {
	case r.whole || whole > 0 && part == whole:
		return amount
	case whole == 0:
		return 0
	}
	return share(part, amount, whole)
}

func (r *Returned) takeLine(back Line) (exceeded bool) {
	var quantity, amount int64
	for _, l := range r.sold.Lines {
		if l.No == back.No {
			quantity += max(0, l.Quantity)
			amount += l.Amount
		}
	}
	if back.Quantity > 0 && quantity > 0 {
		n := min(back.Quantity, quantity-r.quantity[back.No])
		r.quantity[back.No] += n
		return n < back.Quantity
	}
	n := max(0, min(back.Amount, amount-r.value[back.No]))
	r.value[back.No] += n
	return n != back.Amount
}

// Of returns how much of the basket's lines of a category (of all, when that is
// empty) has come back, and how much they were. 0 ≤ part ≤ whole.
func (r *Returned) Of(category string) (part, whole int64) {
	if len(r.sold.Lines) == 0 {
		whole = r.sold.Total
	}
	seen := map[uint16]bool{}
	for _, l := range r.sold.Lines {
		if category != "" && l.Category != category {
			continue
		}
		whole += l.Amount
		if seen[l.No] {
			continue
		}
		seen[l.No] = true
		part += r.ofLine(l.No, category)
	}
	if r.sold.Paid > 0 && whole > 0 {
		part += share(min(r.refund, r.sold.Paid), whole, r.sold.Paid)
	}
	if part = min(part, whole); r.whole {
		part = whole
	}
	return part, whole
}

// ofLine is the price of what has come back of one line number; lines that share a
// number are one.
func (r *Returned) ofLine(no uint16, category string) int64 {
	var quantity, amount int64
	for _, l := range r.sold.Lines {
		if l.No == no && (category == "" || l.Category == category) {
			quantity += max(0, l.Quantity)
			amount += l.Amount
		}
	}
	back := r.value[no]
	if quantity > 0 {
		back += share(min(r.quantity[no], quantity), amount, quantity)
	}
	return min(back, amount)
}
