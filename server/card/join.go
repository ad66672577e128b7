package card

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/programme"
)

const (
	// linkLife is how long a link in a mail works.
	linkLife = 48 * time.Hour
	// linksAnHour is how many mails one shopper is sent, whoever asks for them.
	linksAnHour = 5
)

// Join is what a shopper gives to get a card. All but Locale may be empty. Key is made
// by the browser, new for each card; the same key gets the same card.
type Join struct {
	Key      string
	Name     string
	Email    string
	Phone    string
	Locale   Locale
	Store    uuid.UUID // where the shopper joins, if known
	Consents []Consent // Purpose, Given and Wording
}

// Join gives a new card at once. An address is mailed a link; until it is opened the
// address is only kept. What comes back is the same whether the address is known or not.
func (c *Cards) Join(ctx context.Context, j Join) (Open, error) {
	who := contact{j.Name, j.Email, j.Phone, j.Locale}
	if err := who.fold(); err != nil {
		return Open{}, err
	}
	if len(j.Key) < minKey || len(j.Key) > maxKey {
		return Open{}, refuse(map[string]string{"Idempotency-Key": "must have 32 to 128 characters"})
	}
	if len(j.Consents) > len(Purposes()) {
		return Open{}, refuse(map[string]string{"/consents": "names a purpose twice"})
	}
	for i, consent := range j.Consents {
		if err := checkPurpose(consent.Purpose, consent.Wording, fmt.Sprintf("/consents/%d", i)); err != nil {
			return Open{}, err
		}
	}
	secret := c.joinSecret(j.Key)
	if open, found, err := c.joined(ctx, secret); err != nil || found {
		return open, err
	}
	var open Open
	err := c.env.Store.InTx(ctx, func(ctx context.Context) error {
		var err error
		open, err = c.enrol(ctx, j, who, secret)
		return err
	})
	if problem.CodeOf(err) == problem.Conflict { // the same request at the same time
		if again, found, lookup := c.joined(ctx, secret); lookup == nil && found {
			return again, nil
		}
	}
	if err != nil {
		return Open{}, fmt.Errorf("join: %w", err)
	}
	return open, nil
}

// joined finds the card that a key has made.
func (c *Cards) joined(ctx context.Context, secret string) (Open, bool, error) {
	s, err := c.env.Store.CardSession(ctx, hashOf(secret))
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return Open{}, false, nil
	case err != nil:
		return Open{}, false, fmt.Errorf("join: %w", err)
	}
	return Open{Secret: secret, Session: s}, true, nil
}

func (c *Cards) enrol(ctx context.Context, j Join, who contact, secret string) (Open, error) {
	members, err := c.env.Programme.AddMembers(ctx, uuid.Nil, "", []programme.NewMember{{Alias: who.name}})
	if err != nil {
		return Open{}, err
	}
	id := members[0].ID
	holder := Holder{Member: id, Email: who.email, Phone: who.phone, Locale: who.locale, JoinedAt: c.now(), Version: 1}
	if who.email != "" {
		holder.State = Unconfirmed
	}
	if err := c.env.Store.AddHolder(ctx, holder); err != nil {
		return Open{}, err
	}
	for _, consent := range j.Consents {
		if err := c.consent(ctx, id, consent); err != nil {
			return Open{}, err
		}
	}
	if j.Store != uuid.Nil {
		switch _, err := c.env.Stores.Store(ctx, j.Store); {
		case problem.CodeOf(err) == problem.NotFound && err != nil:
			return Open{}, refuse(map[string]string{"/store": "is not known"})
		case err != nil:
			return Open{}, err
		}
		if err := c.env.Ledger.Tie(ctx, id, j.Store); err != nil {
			return Open{}, err
		}
	}
	if err := c.env.Wallets.Joined(ctx, id); err != nil {
		return Open{}, err
	}
	if holder.State == Unconfirmed {
		if err := c.mailLink(ctx, holder, confirmMail); err != nil {
			return Open{}, err
		}
	}
	return c.begin(ctx, id, secret)
}

// Recover mails a link to whoever has a card with an address, and nothing to anybody
// else. The caller cannot tell which.
func (c *Cards) Recover(ctx context.Context, email string) error {
	folded, ok := foldEmail(email)
	if !ok {
		return refuse(map[string]string{"/email": "is not an e-mail address"})
	}
	err := c.env.Store.InTx(ctx, func(ctx context.Context) error {
		holder, err := c.env.Store.HolderByEmail(ctx, folded)
		if err != nil {
			return err
		}
		return c.mailLink(ctx, holder, recoverMail)
	})
	if err != nil && problem.CodeOf(err) != problem.NotFound {
		return fmt.Errorf("recover card: %w", err)
	}
	return nil
}

// mailLink mails a holder a new link. A mailbox is not flooded: what is too much is not
// sent, and nobody is told.
func (c *Cards) mailLink(ctx context.Context, h Holder, kind mailKind) error {
	secret, err := c.newSecret()
	if err != nil {
		return err
	}
	now := c.now()
	if err := c.env.Store.ForgetCardLinks(ctx, now); err != nil {
		return err
	}
	switch n, err := c.env.Store.CountCardLinks(ctx, h.Member, now.Add(linkLife-time.Hour)); {
	case err != nil:
		return err
	case n >= linksAnHour:
		return nil
	}
	if err := c.env.Store.AddCardLink(ctx, Link{Hash: hashOf(secret), Member: h.Member, Email: h.Email, ExpiresAt: now.Add(linkLife)}); err != nil {
		return err
	}
	subject, text, err := compose(h.Locale, kind, mailWords{Programme: c.env.Name, Link: c.env.Address + "/#/open/" + secret, Hours: int(linkLife / time.Hour)})
	if err != nil {
		return err
	}
	return c.env.Mails.Queue(ctx, h.Email, subject, text)
}

// mergeReason is written with a merge of two cards of one address.
const mergeReason = 1

// OpenLink takes the secret of a link, believes the address it was sent to, and opens
// the card in this browser. When the address is another card's already, that one is
// opened, and what the new one has moves there. Whoever asked for the new one may be
// somebody else, who only knew the address: so it is blocked and its browsers are signed
// out. A link to a card whose address is confirmed is for a lost phone: all other
// browsers are signed out, and the passes of its wallets are voided.
func (c *Cards) OpenLink(ctx context.Context, secret string) (Open, error) {
	if len(secret) == 0 || len(secret) > maxToken {
		return Open{}, deadLink()
	}
	var came opened
	err := c.env.Store.InTx(ctx, func(ctx context.Context) error {
		var err error
		came, err = c.use(ctx, secret)
		return err
	})
	switch {
	case err != nil && (problem.CodeOf(err) == problem.NotFound || problem.CodeOf(err) == problem.Conflict):
		return Open{}, deadLink()
	case err != nil:
		return Open{}, fmt.Errorf("open link: %w", err)
	}
	if came.link == came.owner {
		return came.open, nil
	}
	// Its own transaction, since points that tills hold are recalled first. If it cannot
	// be done now, the two stay two until support merges them.
	if _, err := c.env.Accounts.Merge(ctx, uuid.Nil, came.link, came.owner, mergeReason); err != nil && problem.CodeOf(err) != problem.StateConflict {
		return Open{}, fmt.Errorf("open link: %w", err)
	}
	return came.open, nil
}

func deadLink() error {
	return problem.New(problem.StateConflict, "the link was used or has run out; ask for a new one")
}

// opened is what a link came to: whose card it was sent for, and whose was opened.
type opened struct {
	open        Open
	link, owner uuid.UUID
}

// use is OpenLink in the transaction of ctx, all but the merge.
func (c *Cards) use(ctx context.Context, secret string) (opened, error) {
	link, err := c.env.Store.CardLink(ctx, hashOf(secret))
	if err != nil {
		return opened{}, err
	}
	now := c.now()
	if !link.UsedAt.IsZero() || !now.Before(link.ExpiresAt) {
		return opened{}, deadLink()
	}
	if err := c.env.Store.UseCardLink(ctx, link.Hash, now); err != nil {
		return opened{}, err
	}
	owner, known, err := c.confirm(ctx, link)
	if err != nil {
		return opened{}, err
	}
	if owner != link.Member || known {
		if err := c.shutOut(ctx, link.Member, owner); err != nil {
			return opened{}, err
		}
	}
	cookie, err := c.newSecret()
	if err != nil {
		return opened{}, err
	}
	open, err := c.begin(ctx, owner, cookie)
	return opened{open: open, link: link.Member, owner: owner}, err
}

// shutOut takes a card from whoever has it on a phone, because it is opened on another, or
// because another card of its owner takes its place.
func (c *Cards) shutOut(ctx context.Context, member, owner uuid.UUID) error {
	// With the link, which opens once: else a failure here leaves the phone its passes.
	void := c.env.Wallets.Lost
	if owner != member {
		void = c.env.Wallets.Replaced
		if _, err := c.env.Programme.Block(ctx, uuid.Nil, member); err != nil {
			return err
		}
	}
	if err := c.env.Store.EndCardSessions(ctx, member); err != nil {
		return err
	}
	if err := void(ctx, member); err != nil {
		return fmt.Errorf("void passes of a lost phone: %w", err)
	}
	return nil
}

// confirm believes a link's address and returns whose it is, and whether that was known
// before.
func (c *Cards) confirm(ctx context.Context, link Link) (owner uuid.UUID, known bool, err error) {
	holder, err := c.env.Store.Holder(ctx, link.Member)
	if err != nil {
		return uuid.Nil, false, err
	}
	if holder.Email != link.Email {
		return uuid.Nil, false, problem.New(problem.NotFound, "the address was changed after the mail")
	}
	owner, err = c.env.Store.ConfirmAddress(ctx, link.Email, link.Member)
	if err != nil || owner != link.Member || holder.State == Confirmed {
		return owner, err == nil && holder.State == Confirmed, err
	}
	holder.State, holder.Version = Confirmed, holder.Version+1
	return owner, false, c.env.Store.SetHolder(ctx, holder)
}
