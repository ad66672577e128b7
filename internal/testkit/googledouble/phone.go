package googledouble

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// rotatingBarcode is what a phone reads of a rotating code.
type rotatingBarcode struct {
	Type    string `json:"type"`
	Pattern string `json:"valuePattern"`
	TOTP    struct {
		Algorithm  string `json:"algorithm"`
		Period     int64  `json:"periodMillis,string"`
		Parameters []struct {
			Key    string `json:"key"`
			Length int    `json:"valueLength"`
		} `json:"parameters"`
	} `json:"totpDetails"`
}

func readRotating(raw json.RawMessage) (r rotatingBarcode, err error) {
	if json.Unmarshal(raw, &r) != nil || r.Pattern == "" || len(r.TOTP.Parameters) == 0 {
		return r, errors.New("rotatingBarcode is malformed")
	}
	return r, nil
}

// Phone is an Android phone with Google Wallet: it holds a copy of an object as of its
// last sync and shows its code by its own clock, with no network.
type Phone struct {
	// Off is how far the phone's clock is ahead; negative is behind.
	Off time.Duration

	double       *Double
	resource, id string
	object       map[string]json.RawMessage
}

const saveBase = "https://pay.google.com/gp/v/save/"

// maxLink is the length below which all browsers keep a link whole.
const maxLink = 1800

// Save opens a Save link as a shopper does: the double checks the JWT, and the phone has
// the pass it names.
func (d *Double) Save(link string) (*Phone, error) {
	text, found := strings.CutPrefix(link, saveBase)
	if !found || len(link) >= maxLink {
		return nil, fmt.Errorf("save: not a Save link of fewer than %d characters", maxLink)
	}
	claims := jwt.MapClaims{}
	if why := d.verify(text, claims); why != "" {
		return nil, errors.New("save: " + why)
	}
	if claims["aud"] != "google" || claims["typ"] != "savetowallet" {
		return nil, errors.New("save: aud or typ is wrong")
	}
	payload, isObject := claims["payload"].(map[string]any)
	if !isObject || len(payload) != 1 {
		return nil, errors.New("save: the payload is not of one pass")
	}
	for list, resource := range map[string]string{"loyaltyObjects": "loyaltyObject", "offerObjects": "offerObject"} {
		entries, isList := payload[list].([]any)
		if !isList || len(entries) != 1 {
			continue
		}
		object, isObject := entries[0].(map[string]any)
		id, isText := object["id"].(string)
		if !isObject || !isText {
			return nil, errors.New("save: the object has no id")
		}
		p := &Phone{double: d, resource: resource, id: id}
		return p, p.Sync()
	}
	return nil, errors.New("save: the payload has no pass of ours")
}

// Object is the name of the phone's pass.
func (p *Phone) Object() string { return p.id }

// Sync takes over the object as it is held now. A phone that is away does not.
func (p *Phone) Sync() error {
	raw := p.double.Stored(p.resource, p.id)
	if raw == nil {
		return errors.New("sync: there is no object " + p.id)
	}
	p.object = nil
	return json.Unmarshal(raw, &p.object)
}

// Show is the text of the code on the screen at a moment of the world; the phone's own
// clock may be off. It is empty when the pass shows none.
func (p *Phone) Show(now time.Time) (string, error) {
	if text(p.object["state"]) != "ACTIVE" {
		return "", nil
	}
	if raw := p.object["rotatingBarcode"]; raw != nil {
		r, err := readRotating(raw)
		if err != nil {
			return "", err
		}
		return r.at(now.Add(p.Off))
	}
	var fixed struct {
		Value string `json:"value"`
	}
	if raw := p.object["barcode"]; raw != nil {
		return fixed.Value, json.Unmarshal(raw, &fixed)
	}
	return "", nil
}

// at replaces what stands in braces in the pattern, as Google documents it: the values
// by RFC 6238 with their key, period and length, and the moment the code was made at.
func (r rotatingBarcode) at(at time.Time) (string, error) {
	out := strings.NewReplacer(
		"{totp_timestamp_seconds}", strconv.FormatInt(at.Unix(), 10),
		"{totp_timestamp_millis}", strconv.FormatInt(at.UnixMilli(), 10),
	).Replace(r.Pattern)
	for i, p := range r.TOTP.Parameters {
		key, err := hex.DecodeString(p.Key)
		if err != nil {
			return "", fmt.Errorf("show: key %d is not Base16", i)
		}
		value := totp(key, uint64(at.UnixMilli()/r.TOTP.Period), p.Length)
		out = strings.ReplaceAll(out, "{totp_value_"+strconv.Itoa(i)+"}", value)
	}
	if strings.ContainsAny(out, "{}") {
		return "", errors.New("show: the pattern has something that Google does not replace")
	}
	return out, nil
}

// totp is RFC 4226 §5.3 with SHA-1 over a counter.
func totp(key []byte, counter uint64, digits int) string {
	mac := hmac.New(sha1.New, key)
	var message [8]byte
	binary.BigEndian.PutUint64(message[:], counter)
	mac.Write(message[:])
	sum := mac.Sum(nil)
	at := int(sum[19] & 15)
	n := (uint64(sum[at])&127)<<24 | uint64(sum[at+1])<<16 | uint64(sum[at+2])<<8 | uint64(sum[at+3])
	return fmt.Sprintf("%0*d", digits, n%uint64(math.Pow10(digits)))
}
