package googledouble

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"
)

// Name is what the double calls itself in each answer.
const Name = "tallystick google double (not Google)"

// Options are what a double is made of.
type Options struct {
	// Issuer is the issuer ID whose classes and objects may be written.
	Issuer string
	// Now is the double's clock; nil is the machine's.
	Now func() time.Time
	// Discovery checks bodies; nil leaves only the double's own rules.
	Discovery *Discovery
	// Address to listen on; empty takes a free port of this machine.
	Address string
}

// Fault is what the double does instead of answering.
type Fault struct {
	Status  int    // 0 with Silence
	After   string // Retry-After
	Silence bool   // ends the connection without an answer
}

// Double is a running double. It is safe for concurrent use.
type Double struct {
	o           Options
	server      *httptest.Server
	key         func() (*rsa.PrivateKey, error) // the account's, made when it is first wanted
	root, inter *ecdsa.PrivateKey

	mu       sync.Mutex
	tokens   map[string]time.Time // bearer tokens and their ends
	issued   int
	stored   map[string]map[string]json.RawMessage // by "loyaltyObject/id"
	messages map[string][]told
	faults   []Fault
	always   *Fault
	log      []Request
	refusals []string
	nonce    int
}

// told is a message or an update that a phone was told of.
type told struct {
	at     time.Time
	notify bool
}

// Request is one request to the REST API that the double saw.
type Request struct {
	Method, Path string
	Status       int
	At           time.Time
	Body         json.RawMessage
}

// Start starts a double.
func Start(o Options) (*Double, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Double{
		o: o, tokens: map[string]time.Time{}, stored: map[string]map[string]json.RawMessage{}, messages: map[string][]told{},
	}
	d.key = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	var err error
	for _, k := range []**ecdsa.PrivateKey{&d.root, &d.inter} {
		if *k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, fmt.Errorf("start google double: %w", err)
		}
	}
	d.server = httptest.NewUnstartedServer(d.routes())
	if o.Address != "" {
		if err := listenOn(d.server, o.Address); err != nil {
			return nil, err
		}
	}
	d.server.StartTLS()
	return d, nil
}

// Close stops the double.
func (d *Double) Close() { d.server.Close() }

// URL is the base address of the API.
func (d *Double) URL() string { return d.server.URL }

// RootKeysURL is where the double publishes the keys its callbacks are signed under.
func (d *Double) RootKeysURL() string { return d.server.URL + "/gp/m/issuer/keys" }

// Client is an HTTP client that trusts the double's certificate.
func (d *Double) Client() *http.Client { return d.server.Client() }

// Certificate is the double's certificate in PEM, for a process to trust
// (SSL_CERT_FILE).
func (d *Double) Certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.server.Certificate().Raw})
}

// Email is the name of the double's service account.
const Email = "tallystick@double.iam.gserviceaccount.example"

// Account is the JSON file of a service account that may write here.
func (d *Double) Account() ([]byte, error) {
	key, err := d.key()
	if err != nil {
		return nil, fmt.Errorf("make service account: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write service account: %w", err)
	}
	return json.Marshal(map[string]string{
		"type": "service_account", "client_email": Email, "private_key_id": "double-1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": d.server.URL + "/token",
	})
}

// Next has the next requests to the API fail so, one each.
func (d *Double) Next(faults ...Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = append(d.faults, faults...)
}

// Always has every request to the API fail so until it is called with nil.
func (d *Double) Always(f *Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.always = f
}

// Revoke ends all bearer tokens at once, as when the account's key is taken away.
func (d *Double) Revoke() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.tokens)
}

// Tokens is how many bearer tokens were given out.
func (d *Double) Tokens() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.issued
}

// Requests are the requests to the API, oldest first.
func (d *Double) Requests() []Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.log)
}

// Refusals are what was wrong with requests that were not taken, oldest first.
func (d *Double) Refusals() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.refusals)
}

// Stored is a class or an object as it is held, as JSON; nil when there is none.
func (d *Double) Stored(resource, id string) json.RawMessage {
	d.mu.Lock()
	defer d.mu.Unlock()
	fields, there := d.stored[resource+"/"+id]
	if !there {
		return nil
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return nil // all values came out of JSON
	}
	return raw
}

// Notified is how often a phone with this object was told of something in 24 hours.
func (d *Double) Notified(resource, id string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, m := range d.messages[resource+"/"+id] {
		if m.notify && d.o.Now().Sub(m.at) < 24*time.Hour {
			n++
		}
	}
	return n
}

// compact is JSON without spaces, for comparing and keeping.
func compact(raw []byte) json.RawMessage {
	var out bytes.Buffer
	if json.Compact(&out, raw) != nil {
		return nil
	}
	return out.Bytes()
}
