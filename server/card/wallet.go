package card

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/programme"
)

// Offers is what phones can keep a card in, besides the web card.
type Offers struct {
	Apple, Google bool
	// SelfMade says that Apple passes are for trying out only.
	SelfMade bool
}

// Wallets makes passes. voucher is zero for the card itself; a voucher stands for itself.
// What is not set up is problem.StateConflict.
type Wallets interface {
	Offers() Offers
	// Joined gives a new member the web card, in the transaction of ctx.
	Joined(ctx context.Context, member uuid.UUID) error
	// Changed looks at a member's passes again after what the ledger does not tell.
	Changed(ctx context.Context, member uuid.UUID) error
	// Apple returns a .pkpass as it is now.
	Apple(ctx context.Context, member, voucher uuid.UUID) ([]byte, error)
	// Google puts the card at Google and returns the address at which it is saved.
	Google(ctx context.Context, member, voucher uuid.UUID) (string, error)
	// Lost voids what phones have and issues the codes anew: the phones are not the
	// member's any more. In the transaction of ctx.
	Lost(ctx context.Context, member uuid.UUID) error
	// Replaced voids what phones have of a card that another one takes the place of, and
	// issues its code anew; vouchers given away stay. In the transaction of ctx.
	Replaced(ctx context.Context, member uuid.UUID) error
	// TakenBack voids the passes of a voucher, in the transaction of ctx.
	TakenBack(ctx context.Context, v programme.Voucher) error
	// Left voids passes and has them forgotten, in the transaction of ctx.
	Left(ctx context.Context, member uuid.UUID) error
}

// none are the wallets of an HQ that makes no passes.
type none struct{}

func (none) Offers() Offers                                     { return Offers{} }
func (none) Joined(context.Context, uuid.UUID) error            { return nil }
func (none) Changed(context.Context, uuid.UUID) error           { return nil }
func (none) Lost(context.Context, uuid.UUID) error              { return nil }
func (none) Replaced(context.Context, uuid.UUID) error          { return nil }
func (none) TakenBack(context.Context, programme.Voucher) error { return nil }
func (none) Left(context.Context, uuid.UUID) error              { return nil }

var errNone = problem.New(problem.StateConflict, "no passes are made here")

func (none) Apple(context.Context, uuid.UUID, uuid.UUID) ([]byte, error)  { return nil, errNone }
func (none) Google(context.Context, uuid.UUID, uuid.UUID) (string, error) { return "", errNone }

// Offers returns what phones can keep a card in.
func (c *Cards) Offers() Offers { return c.env.Wallets.Offers() }

// ApplePass returns a member's card for Apple Wallet.
func (c *Cards) ApplePass(ctx context.Context, member uuid.UUID) ([]byte, error) {
	return c.env.Wallets.Apple(ctx, member, uuid.Nil)
}

// GoogleLink returns the address at which a member saves the card.
func (c *Cards) GoogleLink(ctx context.Context, member uuid.UUID) (string, error) {
	return c.env.Wallets.Google(ctx, member, uuid.Nil)
}
