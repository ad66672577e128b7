package apns_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallystick/tallystick/internal/testkit/apnsdouble"
	"github.com/tallystick/tallystick/wallet/apple/apns"
)

const topic = "pass.com.example.card"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// passCertificate makes a certificate of a pass type, vouched for by a pool.
func passCertificate(t testing.TB, passType string, extra ...pkix.Extension) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key := p256(t)
	subject := pkix.Name{CommonName: "Pass Type ID: " + passType, OrganizationalUnit: []string{"TEAM123456"}}
	if len(extra) == 0 {
		subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, Value: passType}}
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: subject, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, ExtraExtensions: extra,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// withCertificate starts a double and a sender with a certificate.
func withCertificate(t testing.TB, change func(*apns.Options)) (*apns.Sender, *apnsdouble.Double) {
	t.Helper()
	certificate, pool := passCertificate(t, topic)
	double := start(t, apnsdouble.Options{Topic: topic, ClientCAs: pool})
	options := apns.Options{Topic: topic, Certificate: certificate, URL: double.URL, Roots: double.Roots, Now: time.Now}
	if change != nil {
		change(&options)
	}
	return sender(t, options), double
}

func start(t testing.TB, o apnsdouble.Options) *apnsdouble.Double {
	t.Helper()
	double, err := apnsdouble.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := double.Close(); err != nil {
			t.Error(err)
		}
	})
	return double
}

func sender(t testing.TB, o apns.Options) *apns.Sender {
	t.Helper()
	s, err := apns.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

const phone = "00fcA1"

func TestEveryAnswerHasItsOutcome(t *testing.T) {
	s, double := withCertificate(t, func(o *apns.Options) { o.Timeout = 300 * time.Millisecond })
	var arrived atomic.Int32
	double.Phone(phone, func() { arrived.Add(1) })
	in := time.Now().Add(90 * time.Second).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	for _, tc := range []struct {
		name   string
		answer apnsdouble.Answer
		want   apns.Result
	}{
		{"delivered", apnsdouble.Deliver(), apns.Result{Outcome: apns.Sent, Status: 200}},
		{"throttled", apnsdouble.TooMany("7"), apns.Result{Outcome: apns.Throttled, Status: 429, Reason: "TooManyRequests", After: 7 * time.Second}},
		{"throttled for ever", apnsdouble.TooMany("4000000000"), apns.Result{Outcome: apns.Throttled, Status: 429, Reason: "TooManyRequests", After: time.Hour}},
		{"throttled to a date", apnsdouble.TooMany(in), apns.Result{Outcome: apns.Throttled, Status: 429, Reason: "TooManyRequests", After: 90 * time.Second}},
		{"throttled to nonsense", apnsdouble.TooMany("soon"), apns.Result{Outcome: apns.Throttled, Status: 429, Reason: "TooManyRequests"}},
		{"broken", apnsdouble.Broken(), apns.Result{Outcome: apns.Later, Status: 500, Reason: "InternalServerError"}},
		{"down", apnsdouble.Refuse(503, "ServiceUnavailable", "30"), apns.Result{Outcome: apns.Later, Status: 503, Reason: "ServiceUnavailable", After: 30 * time.Second}},
		{"of another topic", apnsdouble.Refuse(400, "DeviceTokenNotForTopic", ""), apns.Result{Outcome: apns.BadToken, Status: 400, Reason: "DeviceTokenNotForTopic"}},
		{"our topic", apnsdouble.Refuse(400, "TopicDisallowed", ""), apns.Result{Outcome: apns.Refused, Status: 400, Reason: "TopicDisallowed"}},
		{"certificate", apnsdouble.Refuse(403, "BadCertificate", ""), apns.Result{Outcome: apns.Refused, Status: 403, Reason: "BadCertificate"}},
		{"a token never sent", apnsdouble.Refuse(403, "ExpiredProviderToken", ""), apns.Result{Outcome: apns.Refused, Status: 403, Reason: "ExpiredProviderToken"}},
		{"idle", apnsdouble.Refuse(400, "IdleTimeout", ""), apns.Result{Outcome: apns.Later, Status: 400, Reason: "IdleTimeout"}},
		{"no words", apnsdouble.Refuse(404, "", ""), apns.Result{Outcome: apns.Refused, Status: 404, Reason: "Not Found"}},
		{"silence", apnsdouble.Silence(), apns.Result{Outcome: apns.Later, Reason: "context deadline exceeded"}},
		{"after the silence", apnsdouble.Deliver(), apns.Result{Outcome: apns.Sent, Status: 200}},
	} {
		double.Next(tc.answer)
		got := s.Push(t.Context(), phone)
		if answered := got.Status != 0; answered != (got.ID != "") {
			t.Errorf("%s: apns-id %q with status %d", tc.name, got.ID, got.Status)
		}
		got.ID = ""
		if tc.name == "throttled to a date" && got.After > 85*time.Second && got.After <= 90*time.Second {
			got.After = tc.want.After
		}
		if got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
	if arrived.Load() != 2 {
		t.Errorf("%d pushes arrived, want 2", arrived.Load())
	}
	fine(t, double)
}

func fine(t testing.TB, double *apnsdouble.Double) {
	t.Helper()
	if all := double.Complaints(); len(all) > 0 {
		t.Errorf("the push service complains: %s", strings.Join(all[:min(len(all), 5)], "; "))
	}
}

func TestTokensThatAreNoMore(t *testing.T) {
	s, double := withCertificate(t, nil)
	double.Phone(phone, func() {})
	before := time.Now().Truncate(time.Millisecond)
	double.Retire(phone)
	got := s.Push(t.Context(), phone)
	if got.Outcome != apns.Gone || got.Reason != "Unregistered" || got.Since.Before(before) || got.Since.After(time.Now()) {
		t.Errorf("a retired token: %+v", got)
	}
	if got := s.Push(t.Context(), "ffff"); got.Outcome != apns.BadToken || got.Status != 400 {
		t.Errorf("a token nobody has: %+v", got)
	}
	seen := double.Stats().Pushes
	for _, odd := range []string{"", "zz", "../../etc", "a b", "ab?x=1", "ab/cd", "ğ", strings.Repeat("a", 5000)} {
		if got := s.Push(t.Context(), odd); got.Outcome != apns.BadToken || got.Status != 0 {
			t.Errorf("token %.20q: %+v", odd, got)
		}
	}
	if double.Stats().Pushes != seen {
		t.Error("an impossible token went out")
	}
	fine(t, double)
}

// A GOAWAY that says the push was not looked at is answered by sending it again on a
// new connection; one that leaves it open is told to the caller.
func TestGoAway(t *testing.T) {
	s, double := withCertificate(t, nil)
	var arrived atomic.Int32
	double.Phone(phone, func() { arrived.Add(1) })
	double.Next(apnsdouble.GoAway())
	if got := s.Push(t.Context(), phone); got.Outcome != apns.Sent || arrived.Load() != 1 {
		t.Errorf("an unseen push: %+v, arrived %d", got, arrived.Load())
	}
	double.Next(apnsdouble.GoAwayLost())
	if got := s.Push(t.Context(), phone); got.Outcome != apns.Later || got.Status != 0 || strings.Contains(got.Reason, phone) {
		t.Errorf("a push that may be lost: %+v", got)
	}
	if got := s.Push(t.Context(), phone); got.Outcome != apns.Sent || arrived.Load() != 2 {
		t.Errorf("after it: %+v, arrived %d", got, arrived.Load())
	}
	for range 25 { // connections that ended are not counted for ever
		double.Next(apnsdouble.GoAwayLost(), apnsdouble.GoAway(), apnsdouble.Deliver())
		lost, resent := s.Push(t.Context(), phone), s.Push(t.Context(), phone)
		if lost.Outcome != apns.Later || resent.Outcome != apns.Sent {
			t.Errorf("%+v, then %+v", lost, resent)
		}
	}
	if arrived.Load() != 27 {
		t.Errorf("%d pushes arrived, want 27", arrived.Load())
	}
	fine(t, double)
}

func TestServiceOutOfReach(t *testing.T) {
	s, double := withCertificate(t, nil)
	double.Phone(phone, func() {})
	stranger, _ := passCertificate(t, topic)
	other := sender(t, apns.Options{Topic: topic, Certificate: stranger, URL: double.URL, Roots: double.Roots, Now: time.Now})
	if got := other.Push(t.Context(), phone); got.Outcome != apns.Later {
		t.Errorf("a certificate nobody vouches for: %+v", got)
	}
	unknown := sender(t, apns.Options{Topic: topic, Certificate: stranger, URL: double.URL, Roots: x509.NewCertPool(), Now: time.Now})
	if got := unknown.Push(t.Context(), phone); got.Outcome != apns.Later || !strings.Contains(got.Reason, "certificate") {
		t.Errorf("a service nobody vouches for: %+v", got)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got := s.Push(gone, phone); got.Outcome != apns.Later {
		t.Errorf("given up before: %+v", got)
	}
}

// Many pushes at once share one connection and never exceed what was asked for.
func TestPushesAreBoundedAndShareConnections(t *testing.T) {
	const all, atOnce = 2000, 16
	s, double := withCertificate(t, func(o *apns.Options) { o.AtOnce = atOnce })
	var inside, most, arrived atomic.Int32
	full := make(chan struct{})
	for n := range all {
		double.Phone(fmt.Sprintf("%08x", n), func() {
			now := inside.Add(1)
			for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
			}
			if arrived.Add(1) == atOnce {
				close(full)
			}
			<-full // until as many are under way as may be
			inside.Add(-1)
		})
	}
	var wg sync.WaitGroup
	for n := range all {
		wg.Go(func() {
			if got := s.Push(t.Context(), fmt.Sprintf("%08x", n)); got.Outcome != apns.Sent {
				t.Errorf("push %d: %+v", n, got)
			}
		})
	}
	wg.Wait()
	stats := double.Stats()
	if arrived.Load() != all || most.Load() != atOnce {
		t.Errorf("%d arrived, at most %d at once", arrived.Load(), most.Load())
	}
	if stats.Connections > 2 {
		t.Errorf("%d connections for %d pushes", stats.Connections, all)
	}
	t.Logf("%d pushes, %d connections, at most %d at once", stats.Pushes, stats.Connections, most.Load())
	before := stats.Connections
	for n := range 50 {
		s.Push(t.Context(), fmt.Sprintf("%08x", n))
	}
	if now := double.Stats().Connections; now != before {
		t.Errorf("%d new connections for 50 pushes one after another", now-before)
	}
	fine(t, double)
}

// tokenRig is a sender with a provider key, whose clock is the test's.
type tokenRig struct {
	sender *apns.Sender
	double *apnsdouble.Double
	now    atomic.Int64 // Unix seconds
}

func withToken(t *testing.T) *tokenRig {
	t.Helper()
	r := &tokenRig{}
	r.now.Store(1_800_000_000)
	clock := func() time.Time { return time.Unix(r.now.Load(), 0) }
	key := p256(t)
	r.double = start(t, apnsdouble.Options{Topic: topic, Keys: []apnsdouble.Key{{ID: "KEY1234567", Team: "TEAM123456", Public: &key.PublicKey}}, Now: clock})
	r.double.Phone(phone, func() {})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := apns.ParseTokenKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), "KEY1234567", "TEAM123456")
	if err != nil {
		t.Fatal(err)
	}
	r.sender = sender(t, apns.Options{Topic: topic, Token: &parsed, URL: r.double.URL, Roots: r.double.Roots, Now: clock})
	return r
}

// Over eight hours of pushes the double, which knows Apple's rules of age and pause,
// has nothing to complain about.
func TestProviderTokensAreRenewedInTime(t *testing.T) {
	r := withToken(t)
	for minute := range 8 * 60 {
		if got := r.sender.Push(t.Context(), phone); got.Outcome != apns.Sent {
			t.Fatalf("minute %d: %+v", minute, got)
		}
		r.now.Add(60)
	}
	fine(t, r.double)
}

// When Apple no longer takes a token, the next is made once 20 minutes have passed since
// the last, and not before.
func TestExpiredProviderTokenIsReplacedAfterThePause(t *testing.T) {
	r := withToken(t)
	push := func(want apns.Outcome) {
		t.Helper()
		if got := r.sender.Push(t.Context(), phone); got.Outcome != want {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
	push(apns.Sent)
	r.now.Add(5 * 60)
	r.double.Next(apnsdouble.Refuse(403, "ExpiredProviderToken", ""))
	push(apns.AuthExpired)
	push(apns.Sent) // still the old token: the double would complain of a new one
	r.now.Add(16 * 60)
	push(apns.Sent)
	fine(t, r.double)
	r.now.Add(-3600) // the clock is set back: the token seems to come from the future
	push(apns.Throttled)
	if all := r.double.Complaints(); len(all) != 1 || !strings.HasPrefix(all[0], "TooManyProviderTokenUpdates") {
		t.Errorf("complaints %q: a token of the new time was expected, too soon after the old", all)
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	good, _ := passCertificate(t, topic)
	other, _ := passCertificate(t, "pass.com.example.other")
	apple, _ := passCertificate(t, topic, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 1, 16}, Value: append([]byte{0x0c, byte(len(topic))}, topic...)})
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := &apns.TokenKey{Key: p256(t), KeyID: "KEY1234567", TeamID: "TEAM123456"}
	for name, tc := range map[string]struct {
		options apns.Options
		good    bool
	}{
		"a certificate":               {apns.Options{Topic: topic, Certificate: good, Now: time.Now}, true},
		"named by Apple's extension":  {apns.Options{Topic: topic, Certificate: apple, Now: time.Now}, true},
		"a key":                       {apns.Options{Topic: topic, Token: key, Now: time.Now}, true},
		"neither":                     {apns.Options{Topic: topic, Now: time.Now}, false},
		"both":                        {apns.Options{Topic: topic, Certificate: good, Token: key, Now: time.Now}, false},
		"no topic":                    {apns.Options{Certificate: good, Now: time.Now}, false},
		"no clock":                    {apns.Options{Topic: topic, Certificate: good}, false},
		"another pass type":           {apns.Options{Topic: topic, Certificate: other, Now: time.Now}, false},
		"no private key":              {apns.Options{Topic: topic, Certificate: &tls.Certificate{Certificate: good.Certificate}, Now: time.Now}, false},
		"not a certificate":           {apns.Options{Topic: topic, Certificate: &tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: good.PrivateKey}, Now: time.Now}, false},
		"plain HTTP":                  {apns.Options{Topic: topic, Certificate: good, Now: time.Now, URL: "http://127.0.0.1"}, false},
		"an address with a path":      {apns.Options{Topic: topic, Certificate: good, Now: time.Now, URL: "https://127.0.0.1/3/device"}, false},
		"not an address":              {apns.Options{Topic: topic, Certificate: good, Now: time.Now, URL: "https://%zz"}, false},
		"a key of another curve":      {apns.Options{Topic: topic, Token: &apns.TokenKey{Key: p384, KeyID: key.KeyID, TeamID: key.TeamID}, Now: time.Now}, false},
		"a key without key":           {apns.Options{Topic: topic, Token: &apns.TokenKey{KeyID: key.KeyID, TeamID: key.TeamID}, Now: time.Now}, false},
		"a key id with its file name": {apns.Options{Topic: topic, Token: &apns.TokenKey{Key: key.Key, KeyID: "AuthKey_KEY1234567.p8", TeamID: key.TeamID}, Now: time.Now}, false},
		"no team":                     {apns.Options{Topic: topic, Token: &apns.TokenKey{Key: key.Key, KeyID: key.KeyID}, Now: time.Now}, false},
	} {
		if _, err := apns.New(tc.options); (err == nil) != tc.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseTokenKey(t *testing.T) {
	rsa := "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"
	for name, text := range map[string]string{"nothing": "", "not PEM": "hello", "another block": rsa, "not a key": strings.ReplaceAll(rsa, "RSA ", "")} {
		if _, err := apns.ParseTokenKey([]byte(text), "KEY1234567", "TEAM123456"); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}

func FuzzParseTokenKey(f *testing.F) {
	key := p256(f)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := apns.ParseTokenKey(text, "KEY1234567", "TEAM123456")
		if err == nil && k.Key.Curve != elliptic.P256() {
			t.Error("a key that cannot sign ES256 was accepted")
		}
	})
}
