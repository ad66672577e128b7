package main

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/apnsdouble"
	"github.com/tallystick/tallystick/wallet/apple"
	"github.com/tallystick/tallystick/wallet/doctor"
)

// diagnosis runs the doctor and returns its findings by code, the last of each.
func diagnosis(t *testing.T, args ...string) (code int, found map[doctor.Code]doctor.Finding) {
	t.Helper()
	code, out, errs := hq(t, append([]string{"wallet", "doctor", "--json"}, args...)...)
	var said struct {
		Worst    doctor.Level
		Findings []doctor.Finding
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		t.Fatalf("%v: %q %q", err, out, errs)
	}
	found = map[doctor.Code]doctor.Finding{}
	for _, f := range said.Findings {
		found[f.Code] = f
	}
	if said.Worst != doctor.Worst(said.Findings) || (code == 1) != (said.Worst == doctor.Error) {
		t.Errorf("exit code %d with worst %s", code, said.Worst)
	}
	return code, found
}

func keep(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func authority(t *testing.T, team string, now time.Time) []byte {
	t.Helper()
	a, err := apple.SelfMade("pass.org.example.card", team, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := a.PEM()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The authority is made once, and with it everything but the push service is tried.
func TestDoctorTriesTheSelfMadeMode(t *testing.T) {
	dir := initialised(t)
	_, first := diagnosis(t, "--data", dir, "--wallet-self-made", "--offline")
	for code, level := range map[doctor.Code]doctor.Level{
		doctor.SelfMade: doctor.Warn, doctor.AppleFiles: doctor.OK, doctor.AppleExpiry: doctor.OK, doctor.AppleSigns: doctor.OK,
		doctor.Pictures: doctor.OK, doctor.AppleService: doctor.Warn, doctor.PublicURL: doctor.Warn, doctor.ClockOff: doctor.Unknown,
	} {
		if first[code].Level != level {
			t.Errorf("%s: %+v, want %s", code, first[code], level)
		}
	}
	root, err := os.ReadFile(filepath.Join(dir, selfMadeDir, selfMadeRoot))
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := os.ReadFile(filepath.Join(dir, selfMadeDir, selfMadeFile))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(credentials), strings.TrimSpace(string(root))) {
		t.Error("the root beside the certificate is another")
	}
	diagnosis(t, "--data", dir, "--wallet-self-made", "--offline")
	if again, _ := os.ReadFile(filepath.Join(dir, selfMadeDir, selfMadeFile)); string(again) != string(credentials) {
		t.Error("a second visit made another authority")
	}
	ca, err := apple.Read(apple.Source{Files: []apple.File{{Name: "pass.pem", Data: credentials}}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	push, err := apnsdouble.Start(apnsdouble.Options{Topic: selfMadePassType, ClientCAs: ca.Roots()})
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	trust := keep(t, "trust.pem", push.RootPEM)
	if _, found := diagnosis(t, "--data", dir, "--wallet-self-made", "--apple-apns-url", push.URL, "--wallet-trust", trust); found[doctor.ApplePush].Level != doctor.OK {
		t.Errorf("a push service that knows us: %+v", found[doctor.ApplePush])
	}
	if code, found := diagnosis(t, "--data", dir, "--wallet-self-made", "--apple-apns-url", push.URL); code != 1 || found[doctor.ApplePush].Level != doctor.Error {
		t.Errorf("a push service nobody vouches for: %d %+v", code, found[doctor.ApplePush])
	}
}

func TestDoctorSaysWhatIsWrongWithTheFiles(t *testing.T) {
	dir := initialised(t)
	now := time.Now()
	good := authority(t, "ABCDE12345", now)
	old := authority(t, "ABCDE12345", now.AddDate(0, -11, -10)) // ends in about three weeks
	expired := authority(t, "ABCDE12345", now.AddDate(-2, 0, 0))
	certificates := func(text []byte) []byte { return text[:strings.Index(string(text), "-----BEGIN PRIVATE KEY")] }
	key := func(text []byte) []byte { return text[strings.Index(string(text), "-----BEGIN PRIVATE KEY"):] }
	for name, c := range map[string]struct {
		certificate, key, team string
		code                   doctor.Code
		level                  doctor.Level
		says                   string
	}{
		"fitting":        {string(certificates(good)), string(key(good)), "ABCDE12345", doctor.AppleFiles, doctor.OK, "fit each other"},
		"ending":         {string(certificates(old)), string(key(old)), "ABCDE12345", doctor.AppleExpiry, doctor.Warn, "expires in"},
		"expired":        {string(certificates(expired)), string(key(expired)), "ABCDE12345", doctor.AppleExpiry, doctor.Error, "expired on"},
		"another key":    {string(certificates(good)), string(key(old)), "ABCDE12345", doctor.AppleFiles, doctor.Error, "not the key of the certificate"},
		"another team":   {string(certificates(good)), string(key(good)), "ZZZZZ99999", doctor.AppleFiles, doctor.Error, "ZZZZZ99999"},
		"no certificate": {"hello", string(key(good)), "ABCDE12345", doctor.AppleFiles, doctor.Error, "certificate"},
	} {
		certificate, private := keep(t, "c.pem", []byte(c.certificate)), keep(t, "k.pem", []byte(c.key))
		_, out, _ := hq(t, "wallet", "doctor", "--json", "--offline", "--data", dir, "--public-url", "https://loyalty.example.org",
			"--apple-pass-type", "pass.org.example.card", "--apple-team", c.team, "--apple-certificate", certificate, "--apple-key", private, "--apple-wwdr", certificate)
		var said struct{ Findings []doctor.Finding }
		if err := json.Unmarshal([]byte(out), &said); err != nil {
			t.Fatalf("%s: %v %q", name, err, out)
		}
		seen := false
		for _, f := range said.Findings {
			seen = seen || f.Code == c.code && f.Level == c.level && strings.Contains(f.What, c.says)
		}
		if !seen {
			t.Errorf("%s: no %s %s with %q in %s", name, c.code, c.level, c.says, out)
		}
		if strings.Contains(out, "PRIVATE") {
			t.Errorf("%s: the key is told", name)
		}
	}
}

// Without --json the findings are words, and no setting at all is not an error.
func TestDoctorInWords(t *testing.T) {
	dir := initialised(t)
	code, out, errs := hq(t, "wallet", "doctor", "--data", dir, "--offline")
	if code != 0 || !strings.Contains(out, "no wallet is set up") || !strings.Contains(out, "What to do: ") {
		t.Errorf("%d %q %q", code, out, errs)
	}
}
