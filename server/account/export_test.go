package account

// Between makes fn run between the two legs of a move that one call makes.
func (a *Accounts) Between(fn func() error) { a.between = fn }
