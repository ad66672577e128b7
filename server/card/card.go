package card

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/claim"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/tier"
)

// EmailState says what is known of an address. Stored; numbers are final.
type EmailState uint8

// States of an address.
const (
	NoEmail     EmailState = 0
	Unconfirmed EmailState = 1
	Confirmed   EmailState = 2
)

// String returns the word used in JSON.
func (s EmailState) String() string {
	return map[EmailState]string{NoEmail: "none", Unconfirmed: "unconfirmed", Confirmed: "confirmed"}[s]
}

// Holder is what is known of a shopper beside what tills are told. Email is in lower
// case; Phone is + and digits and is not confirmed by anybody.
type Holder struct {
	Member   uuid.UUID
	Email    string
	State    EmailState
	Phone    string
	Locale   Locale
	JoinedAt time.Time
	Version  uint64
}

// Purpose is what a shopper agrees to.
type Purpose string

// Purposes. Using the card needs none of them.
const (
	// MailOffers is news and offers by e-mail; it counts once the address is confirmed.
	MailOffers Purpose = "mail_offers"
	// PhoneOffers is the same by text message or call.
	PhoneOffers Purpose = "phone_offers"
	// Profile is choosing offers by what was bought.
	Profile Purpose = "profile"
)

// Purposes lists all, in the order in which they are shown.
func Purposes() []Purpose { return []Purpose{MailOffers, PhoneOffers, Profile} }

// Consent is a purpose agreed to or taken back. Wording names the text that was shown.
type Consent struct {
	ID      uuid.UUID
	Member  uuid.UUID
	Purpose Purpose
	Given   bool
	Wording string
	At      time.Time
}

// Link is what a secret sent by mail stands for.
type Link struct {
	Hash      [32]byte
	Member    uuid.UUID
	Email     string
	ExpiresAt time.Time
	UsedAt    time.Time
}

// Session is a browser that shows a card.
type Session struct {
	Hash      [32]byte
	Member    uuid.UUID
	CreatedAt time.Time
	SeenAt    time.Time
}

// Store is the storage of cards. Methods join the transaction in ctx; what is missing
// is problem.NotFound.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	AddHolder(ctx context.Context, h Holder) error
	// SetHolder is problem.Conflict unless the stored version is one below h.Version.
	SetHolder(ctx context.Context, h Holder) error
	Holder(ctx context.Context, member uuid.UUID) (Holder, error)
	// HolderByEmail returns who has confirmed an address, else who gave it last.
	HolderByEmail(ctx context.Context, email string) (Holder, error)
	// HoldersByEmail returns all who gave an address and did not give another since, in
	// the same order.
	HoldersByEmail(ctx context.Context, email string, limit int) ([]Holder, error)
	// ConfirmAddress makes a member the owner of an address unless it has one, and
	// returns the owner.
	ConfirmAddress(ctx context.Context, email string, member uuid.UUID) (uuid.UUID, error)
	ReleaseAddress(ctx context.Context, email string, member uuid.UUID) error
	AddConsent(ctx context.Context, c Consent) error
	// Consents returns all of a member, oldest first.
	Consents(ctx context.Context, member uuid.UUID) ([]Consent, error)
	AddCardLink(ctx context.Context, l Link) error
	CardLink(ctx context.Context, hash [32]byte) (Link, error)
	// UseCardLink marks a link as used; it is problem.Conflict when it is.
	UseCardLink(ctx context.Context, hash [32]byte, at time.Time) error
	// CountCardLinks says how many links of a member run out after a time.
	CountCardLinks(ctx context.Context, member uuid.UUID, after time.Time) (int, error)
	// ForgetCardLinks drops links that ran out before a time.
	ForgetCardLinks(ctx context.Context, before time.Time) error
	// AddCardSession is problem.Conflict when the hash exists.
	AddCardSession(ctx context.Context, s Session) error
	CardSession(ctx context.Context, hash [32]byte) (Session, error)
	SeeCardSession(ctx context.Context, hash [32]byte, at time.Time) error
	EndCardSession(ctx context.Context, hash [32]byte) error
	// EndCardSessions ends all of a member.
	EndCardSessions(ctx context.Context, member uuid.UUID) error
	// Erase forgets holder, address, consents, links and sessions of a member.
	Erase(ctx context.Context, member uuid.UUID) error
}

// Programme is what cards need of the programme.
type Programme interface {
	AddMembers(ctx context.Context, by uuid.UUID, pointer string, wanted []programme.NewMember) ([]programme.Member, error)
	Member(ctx context.Context, id uuid.UUID) (programme.Member, error)
	Rename(ctx context.Context, by, id uuid.UUID, alias string) (programme.Member, error)
	Block(ctx context.Context, by, id uuid.UUID) (programme.Member, error)
	Code(ctx context.Context, member uuid.UUID) (programme.Code, error)
	Rewards(ctx context.Context, after uuid.UUID, limit int) ([]programme.Reward, error)
	Vouchers(ctx context.Context, member, after uuid.UUID, limit int) ([]programme.Voucher, error)
	Voucher(ctx context.Context, id uuid.UUID) (programme.Voucher, error)
	VoucherCode(voucher uuid.UUID, issue uint16, until time.Time) (programme.Code, error)
	GiveVoucher(ctx context.Context, id uuid.UUID) error
	TakeBackVoucher(ctx context.Context, by, id uuid.UUID) (programme.Voucher, error)
	Reward(ctx context.Context, id uuid.UUID) (programme.Reward, error)
}

// Ledger is what cards show.
type Ledger interface {
	Account(ctx context.Context, account uuid.UUID) (ledger.Account, error)
	History(ctx context.Context, account uuid.UUID, cursor string, limit int) ([]ledger.Posting, string, error)
	Tie(ctx context.Context, member, store uuid.UUID) error
}

// Accounts merges two cards of one shopper.
type Accounts interface {
	Merge(ctx context.Context, by, member, into uuid.UUID, reason uint8) (account.Link, error)
}

// Stores says where the card is good.
type Stores interface {
	Store(ctx context.Context, id uuid.UUID) (fleet.Store, error)
	Stores(ctx context.Context, after uuid.UUID, limit int) ([]fleet.Store, error)
}

// Claims takes receipts.
type Claims interface {
	ByHand(ctx context.Context, by, member uuid.UUID, code string) (claim.Row, error)
}

// Tiers says which tier an account is in.
type Tiers interface {
	Of(ctx context.Context, account uuid.UUID) (tier.Ladder, loyalty.Standing, error)
}

// Mails queues a mail in the transaction of ctx.
type Mails interface {
	Queue(ctx context.Context, to, subject, text string) error
}

// Env is what cards take from their surroundings.
type Env struct {
	Store     Store
	Programme Programme
	Ledger    Ledger
	Accounts  Accounts
	Stores    Stores
	Claims    Claims
	Mails     Mails
	Tiers     Tiers
	// Wallets makes passes; nil makes none.
	Wallets Wallets
	Clock   clock.Clock
	Random  io.Reader
	NewID   func() uuid.UUID
	// Secret derives the cookie of a join from its idempotency key, and seals gifts.
	Secret []byte
	// Name is what the programme is called in mails.
	Name string
	// Address is where shoppers reach the card page, without a slash at its end.
	Address string
}

// Cards is the shopper's side of one HQ. It is safe for concurrent use.
type Cards struct{ env Env }

// New returns it.
func New(env Env) *Cards {
	if env.Wallets == nil {
		env.Wallets = none{}
	}
	return &Cards{env: env}
}

func (c *Cards) now() time.Time { return c.env.Clock.Now().UTC().Truncate(time.Millisecond) }

// Name returns what the programme is called.
func (c *Cards) Name() string { return c.env.Name }

// Secure says whether shoppers reach the page over TLS.
func (c *Cards) Secure() bool { return strings.HasPrefix(c.env.Address, "https://") }
