package card

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

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
	// Left voids passes and has them forgotten, in the transaction of ctx.
	Left(ctx context.Context, member uuid.UUID) error
}

// none are the wallets of an HQ that makes no passes.
type none struct{}

func (none) Offers() Offers                            { return Offers{} }
func (none) Joined(context.Context, uuid.UUID) error   { return nil }
func (none) Changed(context.Context, uuid.UUID) error  { return nil }
func (none) Lost(context.Context, uuid.UUID) error     { return nil }
func (none) Replaced(context.Context, uuid.UUID) error { return nil }
func (none) Left(context.Context, uuid.UUID) error     { return nil }

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

// macSize is how much of a gift's seal is kept: 128 bits cannot be guessed.
const macSize = 16

// giftSecret is a voucher's id under HQ's seal. Who shows it may see the voucher and have
// it as a pass.
func (c *Cards) giftSecret(voucher uuid.UUID) string {
	mac := hmac.New(sha256.New, c.env.Secret)
	mac.Write([]byte("tallystick gift v1\x00"))
	mac.Write(voucher[:])
	return base64.RawURLEncoding.EncodeToString(append(voucher[:], mac.Sum(nil)[:macSize]...))
}

// giftOf returns the voucher of a secret, or problem.NotFound.
func (c *Cards) giftOf(secret string) (uuid.UUID, error) {
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil || len(raw) != 16+macSize {
		return uuid.Nil, problem.New(problem.NotFound, "there is no such gift")
	}
	voucher := uuid.UUID(raw[:16])
	if !hmac.Equal([]byte(c.giftSecret(voucher)), []byte(secret)) {
		return uuid.Nil, problem.New(problem.NotFound, "there is no such gift")
	}
	return voucher, nil
}

// Give returns the address at which somebody else keeps a member's voucher.
func (c *Cards) Give(ctx context.Context, member, voucher uuid.UUID) (string, error) {
	v, err := c.env.Programme.Voucher(ctx, voucher)
	switch {
	case err != nil:
		return "", fmt.Errorf("give voucher: %w", err)
	case v.Member != member: // somebody else's is nobody's business
		return "", problem.New(problem.NotFound, "there is no such voucher")
	case v.Blocked || v.Left <= 0 || c.over(v):
		return "", problem.New(problem.StateConflict, "the voucher is not good any more")
	}
	return c.env.Address + "/#/gift/" + c.giftSecret(voucher), nil
}

func (c *Cards) over(v programme.Voucher) bool {
	return !v.ValidTo.IsZero() && !c.now().Before(v.ValidTo)
}

// Gift is a voucher as somebody sees it who has its address.
type Gift struct {
	Name    string
	Left    int64
	ValidTo time.Time // zero when it does not end
	Code    string
}

// Gift returns the voucher of a gift's secret. What is not good any more is
// problem.NotFound, as is what never was.
func (c *Cards) Gift(ctx context.Context, secret string) (Gift, error) {
	v, err := c.given(ctx, secret)
	if err != nil {
		return Gift{}, err
	}
	reward, err := c.env.Programme.Reward(ctx, v.Reward)
	if err != nil {
		return Gift{}, fmt.Errorf("show gift: %w", err)
	}
	code, err := c.env.Programme.VoucherCode(v.ID, v.ValidTo)
	if err != nil {
		return Gift{}, fmt.Errorf("show gift: %w", err)
	}
	return Gift{Name: reward.Name, Left: v.Left, ValidTo: v.ValidTo, Code: code.Text}, nil
}

func (c *Cards) given(ctx context.Context, secret string) (programme.Voucher, error) {
	id, err := c.giftOf(secret)
	if err != nil {
		return programme.Voucher{}, err
	}
	v, err := c.env.Programme.Voucher(ctx, id)
	if err != nil {
		return v, fmt.Errorf("show gift: %w", err)
	}
	m, err := c.env.Programme.Member(ctx, v.Member)
	if err != nil {
		return v, fmt.Errorf("show gift: %w", err)
	}
	if v.Blocked || v.Left <= 0 || m.Blocked || c.over(v) {
		return v, problem.New(problem.NotFound, "the gift is not good any more")
	}
	return v, nil
}

// GiftApplePass returns a gift for Apple Wallet.
func (c *Cards) GiftApplePass(ctx context.Context, secret string) ([]byte, error) {
	v, err := c.given(ctx, secret)
	if err != nil {
		return nil, err
	}
	return c.env.Wallets.Apple(ctx, v.Member, v.ID)
}

// GiftGoogleLink returns the address at which a gift is saved to Google Wallet.
func (c *Cards) GiftGoogleLink(ctx context.Context, secret string) (string, error) {
	v, err := c.given(ctx, secret)
	if err != nil {
		return "", err
	}
	return c.env.Wallets.Google(ctx, v.Member, v.ID)
}
