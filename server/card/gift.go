package card

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/programme"
)

// macSize is how much of a gift's seal is kept: 128 bits cannot be guessed.
const macSize = 16

// giftSecret is a voucher's id, and the issue of its code unless that is the first, under
// HQ's seal. Who shows it may see the voucher and have it as a pass, until it is issued
// anew.
func (c *Cards) giftSecret(voucher uuid.UUID, issue uint16) string {
	mac := hmac.New(sha256.New, c.env.Secret)
	raw := append([]byte(nil), voucher[:]...)
	domain := "tallystick gift v1\x00"
	if issue > 1 {
		raw, domain = binary.BigEndian.AppendUint16(raw, issue), "tallystick gift v2\x00"
	}
	mac.Write([]byte(domain))
	mac.Write(raw)
	return base64.RawURLEncoding.EncodeToString(append(raw, mac.Sum(nil)[:macSize]...))
}

// giftOf returns the voucher of a secret and the issue it was given with, or
// problem.NotFound.
func (c *Cards) giftOf(secret string) (voucher uuid.UUID, issue uint16, err error) {
	const first, later = 16 + macSize, 16 + 2 + macSize
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil || len(raw) != first && len(raw) != later {
		return uuid.Nil, 0, problem.New(problem.NotFound, "there is no such gift")
	}
	voucher, issue = uuid.UUID(raw[:16]), 1
	if len(raw) == later {
		issue = binary.BigEndian.Uint16(raw[16:])
	}
	if !hmac.Equal([]byte(c.giftSecret(voucher, issue)), []byte(secret)) {
		return uuid.Nil, 0, problem.New(problem.NotFound, "there is no such gift")
	}
	return voucher, issue, nil
}

// Give returns the address at which somebody else keeps a member's voucher, the same one
// each time until it is taken back.
func (c *Cards) Give(ctx context.Context, member, voucher uuid.UUID) (string, error) {
	v, err := c.own(ctx, member, voucher)
	if err != nil {
		return "", fmt.Errorf("give voucher: %w", err)
	}
	if v.Blocked || v.Left <= 0 || c.over(v) {
		return "", problem.New(problem.StateConflict, "the voucher is not good any more")
	}
	if err := c.env.Programme.GiveVoucher(ctx, voucher); err != nil {
		return "", err
	}
	return c.env.Address + "/#/gift/" + c.giftSecret(voucher, v.Issue), nil
}

// own returns a voucher of a member; somebody else's is nobody's business.
func (c *Cards) own(ctx context.Context, member, voucher uuid.UUID) (programme.Voucher, error) {
	v, err := c.env.Programme.Voucher(ctx, voucher)
	if err == nil && v.Member != member {
		err = problem.New(problem.NotFound, "there is no such voucher")
	}
	return v, err
}

// TakeBack takes a voucher that a member gave away back: its address, its passes and its
// code end, at tills as they hear of it.
func (c *Cards) TakeBack(ctx context.Context, member, voucher uuid.UUID) error {
	v, err := c.own(ctx, member, voucher)
	if err != nil {
		return fmt.Errorf("take back voucher: %w", err)
	}
	if v.GivenAt.IsZero() {
		return problem.New(problem.StateConflict, "the voucher is not given away")
	}
	_, err = c.TakeBackFor(ctx, uuid.Nil, voucher)
	return err
}

// TakeBackFor does it for whoever has the voucher, given away or not: a person at HQ says
// so.
func (c *Cards) TakeBackFor(ctx context.Context, by, voucher uuid.UUID) (v programme.Voucher, err error) {
	err = c.env.Store.InTx(ctx, func(ctx context.Context) error {
		if v, err = c.env.Programme.TakeBackVoucher(ctx, by, voucher); err != nil {
			return err
		}
		return c.env.Wallets.TakenBack(ctx, v)
	})
	if err != nil {
		return v, fmt.Errorf("take back voucher: %w", err)
	}
	return v, nil
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
// problem.NotFound, as is what never was; what was taken back is problem.GiftTakenBack.
func (c *Cards) Gift(ctx context.Context, secret string) (Gift, error) {
	v, err := c.given(ctx, secret)
	if err != nil {
		return Gift{}, err
	}
	reward, err := c.env.Programme.Reward(ctx, v.Reward)
	if err != nil {
		return Gift{}, fmt.Errorf("show gift: %w", err)
	}
	code, err := c.env.Programme.VoucherCode(v.ID, v.Issue, v.ValidTo)
	if err != nil {
		return Gift{}, fmt.Errorf("show gift: %w", err)
	}
	return Gift{Name: reward.Name, Left: v.Left, ValidTo: v.ValidTo, Code: code.Text}, nil
}

func (c *Cards) given(ctx context.Context, secret string) (programme.Voucher, error) {
	id, issue, err := c.giftOf(secret)
	if err != nil {
		return programme.Voucher{}, err
	}
	v, err := c.env.Programme.Voucher(ctx, id)
	if err != nil {
		return v, fmt.Errorf("show gift: %w", err)
	}
	if issue < v.Issue {
		return v, problem.New(problem.GiftTakenBack, "")
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
