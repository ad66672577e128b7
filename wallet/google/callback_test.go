package google_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/googledouble"
	"github.com/tallystick/tallystick/wallet/google"
)

func (r *rig) roots() *google.RootKeys {
	return google.NewRootKeys(r.double.RootKeysURL(), r.double.Client(), r.clock.Now)
}

func TestOnlyGooglesCallbacksAreBelieved(t *testing.T) {
	r, stranger := newRig(t), newRig(t)
	roots, err := r.roots().Get(t.Context())
	must(t, err)
	object := issuer.ObjectID(pass)
	sign := func(d *googledouble.Double, c googledouble.Callback) []byte {
		if c.Object == "" {
			c.Object = object
		}
		if c.Event == "" {
			c.Event = "save"
		}
		raw, err := d.Sign(c)
		must(t, err)
		return raw
	}
	good := sign(r.double, googledouble.Callback{Event: "del", Nonce: "n1"})
	e, err := issuer.Believe(good, roots, noon)
	if err != nil || e.Type != google.Deleted || e.Serial != pass || e.Nonce != "n1" || !e.Expires.Equal(noon.Add(10*time.Minute)) {
		t.Errorf("a good one: %+v, %v", e, err)
	}
	change := func(from, to string) []byte {
		out := bytes.Replace(good, []byte(from), []byte(to), 1)
		if bytes.Equal(out, good) {
			t.Fatalf("nothing to change: %s is not in %s", from, good)
		}
		return out
	}
	other := issuer
	other.ID = "42"
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"signed by somebody else": {sign(stranger.double, googledouble.Callback{}), google.ErrSignature},
		"another event":           {change(`\"del\"`, `\"save\"`), google.ErrSignature},
		"another nonce":           {change("n1", "n2"), google.ErrSignature},
		"a longer life":           {change(`\"expTimeMillis\":1`, `\"expTimeMillis\":9`), google.ErrSignature},
		"another key":             {change(`\"keyExpiration\":\"1`, `\"keyExpiration\":\"9`), google.ErrSignature},
		"for another issuer":      {sign(r.double, googledouble.Callback{Recipient: "42"}), google.ErrSignature},
		"of another's object":     {sign(r.double, googledouble.Callback{Object: "42." + pass}), google.ErrRecipient},
		"of no pass of ours":      {sign(r.double, googledouble.Callback{Object: issuer.ID + ".a/b"}), google.ErrRecipient},
		"expired":                 {sign(r.double, googledouble.Callback{Expires: noon}), google.ErrExpired},
		"its key expired":         {sign(r.double, googledouble.Callback{KeyExpires: noon}), google.ErrExpired},
		"an event of no meaning":  {sign(r.double, googledouble.Callback{Event: "burn"}), google.ErrMalformed},
		"a long nonce":            {sign(r.double, googledouble.Callback{Nonce: strings.Repeat("n", 129)}), google.ErrMalformed},
		"another protocol":        {change(`"ECv2SigningOnly"`, `"ECv1"`), google.ErrMalformed},
		"cut short":               {good[:len(good)-1], google.ErrMalformed},
		"with something behind":   {append(bytes.Clone(good), "{}"...), google.ErrMalformed},
		"nothing":                 {nil, google.ErrMalformed},
		"huge":                    {append(bytes.Repeat([]byte(" "), google.MaxCallback), good...), google.ErrMalformed},
	} {
		if _, err := issuer.Believe(c.raw, roots, noon); !errors.Is(err, c.want) || !errors.Is(err, google.ErrCallback) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := issuer.Believe(good, nil, noon); !errors.Is(err, google.ErrSignature) {
		t.Errorf("without root keys: %v", err)
	}
	roots[0].Expires = noon
	if _, err := issuer.Believe(good, roots, noon); !errors.Is(err, google.ErrSignature) {
		t.Errorf("under an expired root key: %v", err)
	}
}

func TestRootKeysAreKeptAndNotFetchedForEachStranger(t *testing.T) {
	r := newRig(t)
	asked, broken := 0, false
	keys := google.NewRootKeys(r.double.RootKeysURL(), counting(r.double.Client(), &asked, &broken), r.clock.Now)
	get := func(want int, good bool) {
		t.Helper()
		got, err := keys.Get(t.Context())
		if asked != want || good != (err == nil && len(got) == 1) {
			t.Errorf("asked %d times, want %d: %v", asked, want, err)
		}
	}
	broken = true
	get(1, false)
	get(1, false) // a stranger's callbacks do not make us hammer
	broken = false
	r.clock.Advance(time.Minute)
	get(2, true)
	r.clock.Advance(23 * time.Hour)
	get(2, true)
	broken = true
	r.clock.Advance(2 * time.Hour)
	get(3, true) // those there were go on
}

// counting is a client that counts, and fails while it is broken.
func counting(c *http.Client, asked *int, broken *bool) *http.Client {
	return &http.Client{Transport: transport(func(req *http.Request) (*http.Response, error) {
		*asked++
		if *broken {
			return nil, errors.New("nobody there")
		}
		return c.Transport.RoundTrip(req)
	})}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

// Whatever arrives, it is refused with one of the reasons, or it is what was signed.
func FuzzCallback(f *testing.F) {
	d, err := googledouble.Start(googledouble.Options{Issuer: issuer.ID, Now: func() time.Time { return noon }})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(d.Close)
	good, err := d.Sign(googledouble.Callback{Object: issuer.ObjectID(pass), Event: "save", Nonce: "n"})
	if err != nil {
		f.Fatal(err)
	}
	roots, err := google.NewRootKeys(d.RootKeysURL(), d.Client(), func() time.Time { return noon }).Get(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	var signed struct {
		Message string `json:"signedMessage"`
	}
	if err := json.Unmarshal(good, &signed); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := issuer.Believe(raw, roots, noon)
		if err != nil {
			if !errors.Is(err, google.ErrCallback) || e.Serial != "" {
				t.Errorf("%v with %+v", err, e)
			}
			return
		}
		var got struct {
			Message string `json:"signedMessage"`
		}
		if json.Unmarshal(raw, &got) != nil || got.Message != signed.Message || e.Nonce != "n" || e.Serial != pass {
			t.Errorf("believed what was not signed: %s", raw)
		}
	})
}

// Foreign key sets are refused or have only keys on P-256.
func FuzzRootKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"keyValue":"AAAA","protocolVersion":"ECv2SigningOnly","keyExpiration":"1"}]}`))
	f.Add([]byte(`{"keys":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		keys, err := google.ReadRootKeys(raw)
		if (err == nil) != (len(keys) > 0) {
			t.Errorf("%d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if k.Key == nil || k.Key.Curve.Params().BitSize != 256 {
				t.Error("a key that is not on P-256")
			}
		}
	})
}
