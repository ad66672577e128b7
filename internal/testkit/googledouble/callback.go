package googledouble

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	sender   = "GooglePayPasses"
	protocol = "ECv2SigningOnly"
)

// Callback is what the double signs when a shopper saves or deletes a pass. What is
// empty takes what Google would say; other values make bad callbacks.
type Callback struct {
	Object, Event, Nonce string
	Recipient            string // the issuer when empty
	Expires              time.Time
	KeyExpires           time.Time
}

// Sign makes the bytes that Google would post.
func (d *Double) Sign(c Callback) ([]byte, error) {
	d.mu.Lock()
	d.nonce++
	n := d.nonce
	d.mu.Unlock()
	now := d.o.Now()
	c.Nonce = or(c.Nonce, "double-nonce-"+strconv.Itoa(n))
	c.Recipient = or(c.Recipient, d.o.Issuer)
	if c.Expires.IsZero() {
		c.Expires = now.Add(10 * time.Minute)
	}
	if c.KeyExpires.IsZero() {
		c.KeyExpires = now.Add(7 * 24 * time.Hour)
	}
	value, err := spki(&d.inter.PublicKey)
	if err != nil {
		return nil, err
	}
	signedKey, err := json.Marshal(map[string]string{"keyValue": value, "keyExpiration": strconv.FormatInt(c.KeyExpires.UnixMilli(), 10)})
	if err != nil {
		return nil, fmt.Errorf("sign callback: %w", err)
	}
	message, err := json.Marshal(map[string]any{
		"classId": d.o.Issuer + ".class", "objectId": c.Object, "eventType": c.Event,
		"expTimeMillis": c.Expires.UnixMilli(), "count": 1, "nonce": c.Nonce,
	})
	if err != nil {
		return nil, fmt.Errorf("sign callback: %w", err)
	}
	ofKey, err := sign(d.root, sender, protocol, string(signedKey))
	if err != nil {
		return nil, err
	}
	ofMessage, err := sign(d.inter, sender, c.Recipient, protocol, string(message))
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"signature": ofMessage, "protocolVersion": protocol, "signedMessage": string(message),
		"intermediateSigningKey": map[string]any{"signedKey": string(signedKey), "signatures": []string{ofKey}},
	})
}

func or(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
}

// sign signs parts, each after its length in four bytes, the lowest first.
func sign(key *ecdsa.PrivateKey, parts ...string) (string, error) {
	var framed []byte
	for _, p := range parts {
		framed = append(binary.LittleEndian.AppendUint32(framed, uint32(len(p))), p...)
	}
	sum := sha256.Sum256(framed)
	der, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign callback: %w", err)
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

func spki(key *ecdsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("write public key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

// giveRootKeys publishes the root key, beside one of a protocol that is not for callbacks.
func (d *Double) giveRootKeys(w http.ResponseWriter, _ *http.Request) {
	value, err := spki(&d.root.PublicKey)
	if err != nil {
		write(w, http.StatusInternalServerError, problem(http.StatusInternalServerError, err.Error()))
		return
	}
	until := strconv.FormatInt(d.o.Now().AddDate(1, 0, 0).UnixMilli(), 10)
	write(w, http.StatusOK, map[string]any{"keys": []map[string]string{
		{"keyValue": value, "protocolVersion": protocol, "keyExpiration": until},
		{"keyValue": "AAAA", "protocolVersion": "ECv1"},
	}})
}
