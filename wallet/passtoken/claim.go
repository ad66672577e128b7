package passtoken

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

// TerminalKeyID is the key id of a receipt's claim: the terminal that made the sale
// signed it with its own key. No key of HQ has this id.
const TerminalKeyID = 255

// IssueClaim signs the code of a receipt with the terminal's own key.
func IssueClaim(own keys.Signer, claim uuid.UUID, last Day) Token {
	var t Token
	t[0], t[atKeyID] = Version<<4|uint8(KindReceiptClaim), TerminalKeyID
	copy(t[atSubject:], claim[:])
	binary.BigEndian.PutUint16(t[atExpiry:], uint16(last))
	copy(t[signedSize:], own.Sign(domain, t[:signedSize]))
	return t
}

// ClaimBy reports whether the token is a receipt's claim signed by a terminal's key. It
// does not look at the date.
func (t Token) ClaimBy(key ed25519.PublicKey) bool {
	return t.claim() && keys.Verify(key, domain, t[:signedSize], t[signedSize:]) == nil
}

func (t Token) claim() bool {
	return t[0] == Version<<4|uint8(KindReceiptClaim) && t[atKeyID] == TerminalKeyID
}

// ReadClaim reads and repairs the text of a receipt's code. verified is false when none
// of the keys signed it: then it may be any terminal's, or nobody's.
func ReadClaim(raw string, at time.Time, roster []ed25519.PublicKey) (t Token, verified bool, err error) {
	runes, err := clean(raw)
	if err != nil {
		return Token{}, false, err
	}
	var refused nearest
	found := false
	for c, err := range readings(runes) {
		switch {
		case err != nil:
			refused.note(err)
			continue
		case !c.Token.claim() || c.Rotating:
			refused.note(problem.New(problem.CodeWrongKind, "this is no receipt's code"))
			continue
		}
		for _, key := range roster {
			if c.Token.ClaimBy(key) {
				return c.Token, true, inDate(c.Token, at)
			}
		}
		if !found {
			t, found = c.Token, true
		}
	}
	if !found {
		return Token{}, false, refused.error()
	}
	return t, false, inDate(t, at)
}

func inDate(t Token, at time.Time) error {
	if last := t.Pass().ExpiresOn; !at.Before(last.End()) {
		return problem.New(problem.CodeExpired, fmt.Sprintf("last day was %s", last))
	}
	return nil
}
