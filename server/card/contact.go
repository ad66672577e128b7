package card

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// Change is what a shopper changes about themselves; nil leaves it as it is.
type Change struct {
	Name   *string
	Email  *string
	Phone  *string
	Locale *Locale
}

// Change changes it. A new address is mailed a link and not believed before that is
// opened; the old one no longer recovers the card.
func (c *Cards) Change(ctx context.Context, member uuid.UUID, change Change) error {
	who := contact{name: valueOf(change.Name), email: valueOf(change.Email), phone: valueOf(change.Phone), locale: valueOf(change.Locale)}
	if err := who.fold(); err != nil {
		return err
	}
	err := c.env.Store.InTx(ctx, func(ctx context.Context) error {
		h, err := c.env.Store.Holder(ctx, member)
		if err != nil {
			return err
		}
		if change.Name != nil {
			if _, err := c.env.Programme.Rename(ctx, uuid.Nil, member, who.name); err != nil {
				return err
			}
		}
		if change.Phone != nil {
			h.Phone = who.phone
		}
		if change.Locale != nil {
			h.Locale = who.locale
		}
		moved := change.Email != nil && who.email != h.Email
		if moved {
			if err := c.leaveAddress(ctx, &h); err != nil {
				return err
			}
			if h.Email = who.email; h.Email != "" {
				h.State = Unconfirmed
			}
		}
		h.Version++
		if err := c.env.Store.SetHolder(ctx, h); err != nil || !moved || h.Email == "" {
			return err
		}
		return c.mailLink(ctx, h, confirmMail)
	})
	if err == nil && change.Locale != nil {
		err = c.env.Wallets.Changed(ctx, member)
	}
	if err != nil {
		return fmt.Errorf("change holder: %w", err)
	}
	return nil
}

func (c *Cards) leaveAddress(ctx context.Context, h *Holder) error {
	was := h.State
	h.State = NoEmail
	if was != Confirmed {
		return nil
	}
	return c.env.Store.ReleaseAddress(ctx, h.Email, h.Member)
}

// ConfirmAgain mails the link once more to an address that is not confirmed.
func (c *Cards) ConfirmAgain(ctx context.Context, member uuid.UUID) error {
	err := c.env.Store.InTx(ctx, func(ctx context.Context) error {
		h, err := c.env.Store.Holder(ctx, member)
		if err != nil {
			return err
		}
		if h.State != Unconfirmed {
			return problem.New(problem.StateConflict, "there is no address to confirm")
		}
		return c.mailLink(ctx, h, confirmMail)
	})
	if err != nil {
		return fmt.Errorf("mail link: %w", err)
	}
	return nil
}

// Agree keeps what a shopper agreed to or took back. Saying it again adds nothing.
func (c *Cards) Agree(ctx context.Context, member uuid.UUID, consent Consent) error {
	if err := checkPurpose(consent.Purpose, consent.Wording, ""); err != nil {
		return err
	}
	err := c.env.Store.InTx(ctx, func(ctx context.Context) error {
		all, err := c.env.Store.Consents(ctx, member)
		if err != nil {
			return err
		}
		if last := Given(all)[consent.Purpose]; last.Given == consent.Given && (last.ID != uuid.Nil || !consent.Given) {
			return nil
		}
		return c.consent(ctx, member, consent)
	})
	if err != nil {
		return fmt.Errorf("keep consent: %w", err)
	}
	return nil
}

func (c *Cards) consent(ctx context.Context, member uuid.UUID, consent Consent) error {
	consent.ID, consent.Member, consent.At = c.env.NewID(), member, c.now()
	return c.env.Store.AddConsent(ctx, consent)
}

// Given is what counts of a list of consents: the last of each purpose.
func Given(all []Consent) map[Purpose]Consent {
	out := map[Purpose]Consent{}
	for _, c := range all {
		out[c.Purpose] = c
	}
	return out
}

// Leave forgets a shopper: everything personal is erased, the code is blocked, passes
// are voided and erased, and all browsers are signed out. Points are not paid out and
// lapse in their time; journals keep only the member's id. It cannot be undone.
func (c *Cards) Leave(ctx context.Context, member uuid.UUID) error {
	err := c.env.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := c.env.Programme.Rename(ctx, uuid.Nil, member, ""); err != nil {
			return err
		}
		if _, err := c.env.Programme.Block(ctx, uuid.Nil, member); err != nil {
			return err
		}
		if err := c.env.Wallets.Left(ctx, member); err != nil {
			return err
		}
		return c.env.Store.Erase(ctx, member)
	})
	if err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	return nil
}

func valueOf[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}
