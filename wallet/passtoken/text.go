package passtoken

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

// Lengths of the two texts, in characters. All are ASCII.
const (
	TextLen     = len(prefix) + bodyLen
	RotatingLen = TextLen + unixLen + totpLen
)

const (
	prefix  = "TS1"
	bodyLen = (Size*8 + 4) / 5
	unixLen = 10
	totpLen = 8
	// stepSeconds is the period of the rotating form (RFC 6238 §4).
	stepSeconds = 30
)

// alphabet is Crockford's base32: no I, L, O or U. Its look-alike rules (I and L
// for 1, O for 0) are not used: they would give one token many texts.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var encoding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// Text returns the token's one text: 141 characters, the static code.
func (t Token) Text() string { return prefix + encoding.EncodeToString(t[:]) }

// Parse reads what [Token.Text] wrote and nothing else: no repair, no look-alikes,
// no unused bits. It does not verify the signature.
func Parse(text string) (Token, error) {
	if shape(text) != shapeStatic {
		return Token{}, problem.New(problem.CodeUnreadable, "not the text of a pass token")
	}
	return decodeBody(text)
}

// decodeBody reads the 138 characters after the prefix. The caller has checked the
// length and the alphabet.
func decodeBody(text string) (Token, error) {
	var t Token
	body := text[len(prefix):TextLen]
	if n, err := encoding.Decode(t[:], []byte(body)); err != nil || n != Size {
		return Token{}, problem.Wrap(problem.CodeUnreadable, err, "not base32")
	}
	// 138 characters carry 690 bits and the token has 688: the two left over must
	// be zero, or four texts would mean one token.
	if t.Text()[len(prefix):] != body {
		return Token{}, problem.New(problem.CodeUnreadable, "unused bits at the end of the token are set")
	}
	if v := t[0] >> 4; v != Version {
		return Token{}, problem.Newf(problem.CodeVersion, "format version %d", v)
	}
	return t, nil
}

// RotatingText returns what a wallet shows at a moment: the text, ten digits of
// Unix seconds, and the eight-digit TOTP of that moment. The moment must lie
// between 1970 and 2286, where Unix seconds have at most ten digits; any other
// gives a text that never verifies.
func RotatingText(t Token, group keys.GroupKey, at time.Time) string {
	unix := at.Unix()
	return fmt.Sprintf("%s%0*d%s", t.Text(), unixLen, unix, totp(group.TOTPKey(t.Pass().Subject), unix/stepSeconds))
}

// totp is RFC 6238 with SHA-1 and eight digits, for a counter of 30 s steps. SHA-1
// is the one hash Google Wallet offers; what breaks it does not break its HMAC.
func totp(key []byte, step int64) string {
	mac := hmac.New(sha1.New, key)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	// Dynamic truncation, RFC 4226 §5.3.
	offset := sum[len(sum)-1] & 0x0f
	code := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpLen, code%100_000_000)
}

// form is what a normalised text looks like, before any decoding. A higher one is
// closer to a token.
type form uint8

const (
	shapeNone form = iota
	shapeTruncated
	shapeOtherVersion
	shapeStatic
	shapeRotating
)

// shape classifies a normalised text by prefix, length and alphabet. A later
// version may be longer, so only its least length is looked at.
func shape(text string) form {
	if len(text) < len(prefix) || text[:2] != prefix[:2] {
		return shapeNone
	}
	if v := text[2]; v >= '2' && v <= '9' && len(text) >= TextLen && allIn(text, alphabet) {
		return shapeOtherVersion
	}
	body := text[len(prefix):min(len(text), TextLen)]
	switch {
	case text[2] != prefix[2] || !allIn(body, alphabet):
		return shapeNone
	case len(text) < TextLen:
		return shapeTruncated
	case len(text) == TextLen:
		return shapeStatic
	case len(text) > RotatingLen || !allIn(text[TextLen:], "0123456789"):
		return shapeNone
	case len(text) == RotatingLen:
		return shapeRotating
	}
	return shapeTruncated
}

func allIn(text, set string) bool {
	for i := range len(text) {
		if strings.IndexByte(set, text[i]) < 0 {
			return false
		}
	}
	return true
}
