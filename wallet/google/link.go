package google

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tallystick/tallystick/wallet/face"
)

// DefaultSave is where a shopper's browser brings a signed wish to save a pass.
const DefaultSave = "https://pay.google.com/gp/v/save"

// MaxLink is how long a Save link may be: some browsers cut longer ones.
const MaxLink = 1800

// ErrLink means that a Save link would be too long for some browsers.
var ErrLink = errors.New("the Save link is too long")

// SaveLink makes the link by which a shopper saves a pass whose object is at Google
// already. It names the object and says nothing of it: neither the code nor the key of
// the rotating code travels in a browser's history. Origins are the sites that may show
// the button, as https://loyalty.example.org.
func SaveLink(a Account, i Issuer, kind face.Kind, serial string, origins []string, now time.Time) (string, error) {
	list := "loyaltyObjects"
	if kind == face.KindVoucher {
		list = "offerObjects"
	}
	if origins == nil {
		origins = []string{}
	}
	signed, err := a.sign(jwt.MapClaims{
		"iss": a.Email, "aud": "google", "typ": "savetowallet", "iat": now.Unix(), "origins": origins,
		"payload": map[string]any{list: []map[string]string{{"id": i.ObjectID(serial)}}},
	})
	if err != nil {
		return "", fmt.Errorf("sign Save link: %w", err)
	}
	link := strings.TrimSuffix(cmp.Or(i.Save, DefaultSave), "/") + "/" + signed
	if len(link) >= MaxLink {
		return "", fmt.Errorf("%w: %d characters, fewer than %d are safe", ErrLink, len(link), MaxLink)
	}
	return link, nil
}
