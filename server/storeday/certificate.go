package storeday

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/sync/entry"
)

// TokenType is the typ of a certificate's header.
const TokenType = "store-day+jwt"

// MaxCertificate bounds a certificate in characters.
const MaxCertificate = 1 << 20

// Certificate is what HQ says of a store's business day. It is signed as a JWT (RFC 7519,
// EdDSA) with a statement key, which HQ publishes at /.well-known/jwks.json. Amounts are
// whole units, money is in minor units, times are Unix milliseconds.
type Certificate struct {
	HQ       uuid.UUID `json:"iss"`
	Store    uuid.UUID `json:"sub"`
	HQEpoch  uint32    `json:"hq_epoch"` // a restored head office begins a new one
	Number   uint64    `json:"number"`   // from 1, without a gap in a store
	Date     string    `json:"date"`     // YYYY-MM-DD
	Previous string    `json:"previous,omitempty"`
	CutAt    int64     `json:"cut_at"` // what HQ had recorded by then is in it
	Journals []Journal `json:"journals"`
	Day      Figures   `json:"day"`
	// Late are entries of other dates: of those whose days were certified before, and of such
	// as had not come, by a terminal whose clock was wrong.
	Late []Figures `json:"late,omitempty"`
	// Exceptions are those about the entries covered, by kind, as they stood at the cut.
	Exceptions []Exceptions `json:"exceptions,omitempty"`
	// Differences is how many figures of terminals HQ found otherwise. Each is an exception
	// that people settled before this was signed.
	Differences int `json:"differences,omitempty"`
}

// Journal is what is covered of one journal: the entries from First through Last, whose
// hash is Head. Last is First−1 when nothing is.
type Journal struct {
	Terminal uuid.UUID `json:"terminal"`
	Name     string    `json:"name"`
	Epoch    uint32    `json:"epoch"`
	First    uint64    `json:"first"`
	Last     uint64    `json:"last"`
	Head     string    `json:"head,omitempty"`
	Over     Over      `json:"over,omitempty"`
	Gap      *Gap      `json:"gap,omitempty"` // of a lost terminal
	// Rejected are the numbers of entries that count for nothing: a terminal that was shut out
	// delivered them, and a person decided so.
	Rejected []uint64 `json:"rejected,omitempty"`
	// Forks are branches of the journal beside the covered one, as HQ had them at the cut.
	Forks []Fork `json:"forks,omitempty"`
}

// Fork is a second line of a journal: two writers have the terminal's key, or one was taken
// back to an earlier state. A certificate covers the branch that HQ heard of first, number 0,
// and no entry of another one.
type Fork struct {
	Branch int    `json:"branch"` // from 1, in the order in which HQ heard of them
	First  uint64 `json:"first"`  // the first entry of this branch alone
	Last   uint64 `json:"last"`
	Head   string `json:"head"` // the hash of Last
}

// Gap is what HQ does not know of a terminal that two people have declared lost.
type Gap struct {
	Declaration uuid.UUID `json:"declaration"`
	After       uint64    `json:"after"` // the last entry HQ has
	Said        uint64    `json:"said"`  // the newest one that the terminal said it has
	Bound       []Bound   `json:"bound"`
}

// Bound is the most that the gap can cost of one unit: by rights the terminal held, and in
// HQ's stead.
type Bound struct {
	Unit    string `json:"unit"`
	Rights  int64  `json:"rights"`
	StandIn int64  `json:"stand_in"`
}

// Figures add up the entries of one business date.
type Figures struct {
	Date    string   `json:"date"`
	Entries uint64   `json:"entries"`
	Kinds   []Kind   `json:"kinds,omitempty"`
	Money   []Money  `json:"money,omitempty"`
	Amounts []Amount `json:"amounts,omitempty"`
}

// Kind counts entries of a kind.
type Kind struct {
	Kind  string `json:"kind"`
	Count uint64 `json:"count"`
}

// Money sums sales, voids or returns in one currency.
type Money struct {
	Kind     string `json:"kind"`
	Currency string `json:"currency"`
	Count    uint64 `json:"count"`
	Total    int64  `json:"total"`
	Discount int64  `json:"discount"`
}

// Amount sums what was earned or redeemed of a unit, by what a redemption rested on.
type Amount struct {
	Kind   string `json:"kind"`
	Flow   string `json:"flow"`
	Unit   string `json:"unit"`
	Basis  string `json:"basis,omitempty"`
	Count  uint64 `json:"count"`
	Amount int64  `json:"amount"`
}

// Exceptions counts those of a kind, and sums what they are about.
type Exceptions struct {
	Kind    string `json:"kind"`
	Open    int64  `json:"open"`
	Settled int64  `json:"settled"`
	Amount  int64  `json:"amount"`
}

// figuresOf shows what was added up for a date.
func figuresOf(date entry.Date, entries uint64, c entry.DayClose) Figures {
	out := Figures{Date: date.String(), Entries: entries}
	for _, k := range c.Kinds {
		out.Kinds = append(out.Kinds, Kind{k.Kind.String(), k.Count})
	}
	for _, m := range c.Money {
		out.Money = append(out.Money, Money{m.Kind.String(), m.Currency, m.Count, m.Total, m.Discount})
	}
	for _, a := range c.Amounts {
		shown := Amount{Kind: a.Kind.String(), Flow: a.Flow.String(), Unit: a.Unit, Count: a.Count, Amount: a.Amount}
		if a.Basis != 0 {
			shown.Basis = a.Basis.String()
		}
		out.Amounts = append(out.Amounts, shown)
	}
	return out
}

// Sign makes the JWT.
func (c Certificate) Sign(key keys.Signer) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, signed{c})
	token.Header["typ"], token.Header["kid"] = TokenType, key.Public.JWKID()
	text, err := token.SignedString(key.Private())
	if err != nil {
		return "", fmt.Errorf("sign certificate: %w", err)
	}
	if len(text) > MaxCertificate {
		return "", fmt.Errorf("sign certificate: it has %d characters, more than %d", len(text), MaxCertificate)
	}
	return text, nil
}

// Digest names a certificate: the SHA-256 of its text, in hex.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// ErrCertificate is wrapped by all that Verify finds wrong.
var ErrCertificate = errors.New("the certificate is not good")

// Verify reads a certificate that HQ has signed with one of its published keys.
func Verify(text string, published map[string]ed25519.PublicKey) (Certificate, error) {
	if len(text) > MaxCertificate {
		return Certificate{}, fmt.Errorf("%w: it has more than %d characters", ErrCertificate, MaxCertificate)
	}
	var c signed
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(text, &c, func(t *jwt.Token) (any, error) {
		if t.Header["typ"] != TokenType {
			return nil, errors.New("it is not one of a store's day")
		}
		kid, _ := t.Header["kid"].(string)
		if key, ok := published[kid]; ok {
			return key, nil
		}
		return nil, fmt.Errorf("its key %q is not known", kid)
	})
	if err != nil {
		return Certificate{}, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return c.Certificate, nil
}

// Read reads what a kept certificate says. Its signature is not checked: it comes out of
// head office's own storage.
func (c Certified) Read() (Certificate, error) {
	var out signed
	if _, _, err := jwt.NewParser().ParseUnverified(c.Text, &out); err != nil {
		return Certificate{}, fmt.Errorf("read certificate of %s: %w", c.Date, err)
	}
	return out.Certificate, nil
}

// signed is a certificate as JWT claims. It has no expiry: what was certified stays so.
type signed struct{ Certificate }

func (signed) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }
func (signed) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil }
func (signed) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }
func (s signed) GetIssuedAt() (*jwt.NumericDate, error) {
	return jwt.NewNumericDate(time.UnixMilli(s.CutAt)), nil
}
func (s signed) GetIssuer() (string, error)  { return s.HQ.String(), nil }
func (s signed) GetSubject() (string, error) { return s.Store.String(), nil }

// Link is one certificate of a chain, with its text.
type Link struct {
	Certificate
	Text string
}

// CheckChain says what is wrong between certificates of one store that follow each other.
func CheckChain(links []Link) error {
	type lane struct {
		terminal uuid.UUID
		epoch    uint32
	}
	next := map[lane]uint64{}
	for i, l := range links {
		where := fmt.Sprintf("certificate %d of %s", l.Number, l.Date)
		if i > 0 {
			before := links[i-1]
			switch {
			case l.Store != before.Store || l.HQ != before.HQ:
				return fmt.Errorf("%w: %s is of another store or head office", ErrCertificate, where)
			case l.Number != before.Number+1 || l.Date <= before.Date:
				return fmt.Errorf("%w: %s does not follow number %d of %s", ErrCertificate, where, before.Number, before.Date)
			case l.Previous != Digest(before.Text):
				return fmt.Errorf("%w: %s names another one as the one before it", ErrCertificate, where)
			case l.CutAt < before.CutAt:
				return fmt.Errorf("%w: %s was cut before the one before it", ErrCertificate, where)
			}
		}
		for _, j := range l.Journals {
			key := lane{j.Terminal, j.Epoch}
			if want, seen := next[key]; seen && j.First != want || j.Last+1 < j.First {
				return fmt.Errorf("%w: %s covers journal %d of terminal %s from entry %d, the one before ended at %d",
					ErrCertificate, where, j.Epoch, j.Terminal, j.First, want-1)
			}
			next[key] = j.Last + 1
		}
	}
	return nil
}
