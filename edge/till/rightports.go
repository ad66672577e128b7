package till

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/wire"
)

// ErrNotAsked is what a Lender or an Authoriser answers when the question certainly
// never left this machine. After any other failure the other side may have made the
// right, and the till journals that it will not use it.
var ErrNotAsked = errors.New("the question was not sent")

// Lender asks one lane of the store for a loan under the id in asked. A problem with a
// code other than problem.Unavailable and problem.Internal is the lane's refusal: no
// right was made.
type Lender interface {
	Borrow(ctx context.Context, from wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error)
}

// Authoriser asks HQ for a one-off right under the id in asked, and has verified HQ's
// signature on the grant. Errors are as those of a Lender.
type Authoriser interface {
	Authorise(ctx context.Context, asked wire.AuthoriseRequest) (wire.AuthoriseAnswer, error)
}

// Neighbours are asked, all at once, what the lanes in reach could lend on an account:
// what they earned themselves no feed has told yet. Who does not answer in time is left
// out.
type Neighbours interface {
	Lendable(ctx context.Context, account uuid.UUID) map[uuid.UUID][]wire.Held
}

// Helpers are whom the till may ask for rights. Each is optional.
type Helpers struct {
	Lender     Lender
	Authoriser Authoriser
	Neighbours Neighbours
}

// Connect tells the till whom it may ask. They are made after it, since they serve it too.
func (t *Till) Connect(h Helpers) { t.helpers.Store(&h) }

// How long a shopper may wait for rights that are not here.
const (
	BorrowBudget    = 150 * time.Millisecond // all lanes together
	NearBudget      = 50 * time.Millisecond  // of it, to hear what they have
	AuthoriseBudget = 800 * time.Millisecond
)

// Mutant breaks the till on purpose, so that the simulator can show that it would
// notice. It is for tests only; a terminal never sets one.
type Mutant uint8

// The broken variants.
const (
	MutantNone          Mutant = 0
	MutantForgetSpent   Mutant = 1 // what was spent of rights is kept in memory only
	MutantFreeLoans     Mutant = 2 // a loan comes back to its lender by a timer
	MutantSkipForkCheck Mutant = 3 // being told of another branch of the journal changes nothing
	MutantForgetGrant   Mutant = 4 // that a right was received is never journalled
	MutantStaleRecall   Mutant = 5 // an old word of HQ brings a right back that was released
)
