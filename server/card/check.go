package card

import (
	"net/mail"
	"slices"
	"strings"
	"unicode"

	"github.com/tallystick/tallystick/internal/problem"
)

// Locale is a language a shopper reads.
type Locale string

// Locales.
const (
	English Locale = "en"
	Turkish Locale = "tr"
	Polish  Locale = "pl"
)

// Locales lists all.
func Locales() []Locale { return []Locale{English, Turkish, Polish} }

// Limits of what a shopper may type, in bytes.
const (
	maxName    = 40
	maxEmail   = 254 // RFC 5321 §4.5.3.1.3, less the angle brackets
	maxPhone   = 16  // ITU-T E.164: + and 15 digits
	minPhone   = 8
	maxToken   = 64
	minKey     = 32
	maxKey     = 128
	maxWording = 32
)

// foldEmail is an address as it is kept: without a name around it, in lower case.
// Two shoppers who differ only in case share a mailbox everywhere it matters.
func foldEmail(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if len(text) > maxEmail || strings.ContainsFunc(text, unicode.IsControl) {
		return "", false
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Name != "" || strings.ContainsAny(text, "<>\"") || !strings.Contains(parsed.Address[strings.LastIndexByte(parsed.Address, '@')+1:], ".") {
		return "", false
	}
	return strings.ToLower(parsed.Address), true
}

// foldPhone is a number as it is kept: + and digits.
func foldPhone(text string) (string, bool) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.()/\u00a0", r) {
			return -1
		}
		return r
	}, strings.TrimSpace(text))
	if rest, ok := strings.CutPrefix(digits, "00"); ok {
		digits = "+" + rest
	}
	if len(digits) < minPhone || len(digits) > maxPhone || digits[0] != '+' ||
		strings.ContainsFunc(digits[1:], func(r rune) bool { return r < '0' || r > '9' }) {
		return "", false
	}
	return digits, true
}

// contact is what a shopper types about themselves.
type contact struct {
	name, email, phone string
	locale             Locale
}

// fold brings a contact into the form it is kept in and names what is wrong.
func (c *contact) fold() error {
	bad := map[string]string{}
	c.name = strings.Join(strings.Fields(c.name), " ")
	if len([]rune(c.name)) > maxName || strings.ContainsFunc(c.name, unicode.IsControl) {
		bad["/name"] = "must have at most 40 characters"
	}
	ok := false
	if c.email != "" {
		if c.email, ok = foldEmail(c.email); !ok {
			bad["/email"] = "is not an e-mail address"
		}
	}
	if c.phone != "" {
		if c.phone, ok = foldPhone(c.phone); !ok {
			bad["/phone"] = "must be + with country code and 7 to 15 digits"
		}
	}
	if c.locale == "" {
		c.locale = English
	}
	if !slices.Contains(Locales(), c.locale) {
		bad["/locale"] = "must be en, tr or pl"
	}
	return refuse(bad)
}

func refuse(bad map[string]string) error {
	if len(bad) == 0 {
		return nil
	}
	return &problem.Error{Code: problem.InvalidField, Detail: "something is not allowed so", Fields: bad}
}

func checkPurpose(p Purpose, wording, pointer string) error {
	switch {
	case !slices.Contains(Purposes(), p):
		return refuse(map[string]string{pointer + "/purpose": "is not known"})
	case wording == "" || len(wording) > maxWording || strings.ContainsFunc(wording, unicode.IsControl):
		return refuse(map[string]string{pointer + "/wording": "must have 1 to 32 characters"})
	}
	return nil
}
