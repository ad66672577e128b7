package apple_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/wallet/apple"
)

// Credentials that do not fit are refused, each with its own code and in words that name
// what is wrong.
func TestCredentialsThatDoNotFitAreRefused(t *testing.T) {
	good := forge(t, spoil{})
	base := good.source(t)
	other := forge(t, spoil{})
	leaf := func(change func(*x509.Certificate)) apple.Source { return forge(t, spoil{leaf: change}).source(t) }
	expect := func(passType, team string) apple.Source {
		s := base
		s.PassType, s.Team = passType, team
		return s
	}
	for _, tc := range []struct {
		name   string
		source apple.Source
		code   string
		says   string
	}{
		{"nothing", apple.Source{}, "key_missing", "No private key"},
		{"no key", apple.Source{Files: base.Files[:2]}, "key_missing", ".p12"},
		{"no certificate", apple.Source{Files: []apple.File{base.Files[0], base.Files[2]}}, "certificate_missing", "No pass certificate"},
		{"another's key", with(base, "key.pem", keyPEM(t, other.key)), "key_mismatch", "Pass Type ID: " + passType},
		{"two keys", with(base, "more.pem", keyPEM(t, other.key)), "key_ambiguous", "2 different"},
		{"a short key", shortKey(t), "key_unfit", "1024 bits"},
		{"no intermediate", apple.Source{Files: base.Files[1:]}, "issuer_missing", "Apple Worldwide Developer Relations"},
		{"an intermediate of the same name", with(base, "wwdr.pem", certPEM(other.intermediate)), "issuer_missing", "G4"},
		{"expired", leaf(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), "expired", "expired on 2026-11-22"},
		{"intermediate expired", forge(t, spoil{intermediate: func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 0, -1) }}).source(t), "expired", "Worldwide"},
		{"not yet valid", leaf(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }), "not_yet_valid", "clock"},
		{"an app's certificate", leaf(func(c *x509.Certificate) { c.ExtraExtensions = nil }), "not_a_pass_certificate", "1.2.840.113635.100.6.1.16"},
		{"not a pass type", leaf(func(c *x509.Certificate) {
			c.ExtraExtensions[0] = extension(t, "com.x")
			c.Subject.ExtraNames[0].Value = "com.x"
		}), "pass_type_invalid", `"pass."`},
		{"two pass types", leaf(func(c *x509.Certificate) { c.Subject.ExtraNames[0].Value = "pass.other" }), "pass_type_mismatch", "pass.other"},
		{"no user id", leaf(func(c *x509.Certificate) { c.Subject.ExtraNames = nil }), "pass_type_mismatch", passType},
		{"no team", leaf(func(c *x509.Certificate) { c.Subject.OrganizationalUnit = nil }), "team_missing", "OU"},
		{"another team expected", expect(passType, "ZZZZZ99999"), "team_mismatch", "ZZZZZ99999"},
		{"another pass type expected", expect("pass.other", team), "pass_type_mismatch", "pass.other"},
		{"an empty file", with(base, "pass.pem", nil), "file_unreadable", "pass.pem is empty"},
		{"a large file", with(base, "more", make([]byte, 2<<20)), "file_unreadable", "2097152 bytes"},
		{"neither nor", with(base, "more", []byte("hello")), "file_unreadable", "neither PEM"},
		{"cut off", with(base, "pass.pem", certPEM(good.leaf)[:200]), "file_unreadable", "cut off"},
		{"damaged", with(base, "pass.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: good.leaf.Raw[:100]})), "file_unreadable", "cannot be read"},
		{"a request", with(base, "more", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte{1}})), "file_unreadable", "CERTIFICATE REQUEST"},
		{"a key with a password", with(base, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}})), "file_unreadable", "openssl pkey"},
		{"an old key with a password", with(base, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"DEK-Info": "AES"}, Bytes: []byte{1}})), "file_unreadable", ".p12"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := apple.Read(tc.source, now)
			var refused *apple.Refused
			if !errors.As(err, &refused) {
				t.Fatalf("error is %v", err)
			}
			n := slices.IndexFunc(refused.Findings, func(f apple.Finding) bool { return f.Severity == apple.Refuses && f.Code == tc.code })
			if n < 0 {
				t.Fatalf("no %s among %+v", tc.code, refused.Findings)
			}
			if !strings.Contains(refused.Findings[n].Text, tc.says) || !strings.Contains(err.Error(), refused.Findings[n].Text) {
				t.Errorf("it says %q; the error %q; want %q in both", refused.Findings[n].Text, err, tc.says)
			}
		})
	}
}

// shortKey is a source whose key is too short for anybody to trust.
func shortKey(t *testing.T) apple.Source {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(random, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return with(forge(t, spoil{}).source(t), "key.pem", keyPEM(t, key))
}

// Whatever order and form the files have, the same credentials come out of them, and the
// intermediate is the one that issued the certificate.
func TestCredentialsAreFoundInAnyForm(t *testing.T) {
	good, older := forge(t, spoil{}), forge(t, spoil{})
	renewed := good.source(t)
	for name, files := range map[string][]apple.File{
		"three files":          renewed.Files,
		"one file":             {{Name: "all.pem", Data: slices.Concat(keyPEM(t, good.key), certPEM(good.root, good.leaf, older.intermediate, good.intermediate))}},
		"as Apple offers them": {{Name: "pass.cer", Data: good.leaf.Raw}, {Name: "wwdr.cer", Data: good.intermediate.Raw}, {Name: "old.cer", Data: older.intermediate.Raw}, {Name: "key.pem", Data: keyPEM(t, good.key)}},
		"with another's leaf":  append(slices.Clone(renewed.Files), apple.File{Name: "other", Data: certPEM(older.leaf)}),
		"the key given twice":  append(slices.Clone(renewed.Files), apple.File{Name: "again", Data: keyPEM(t, good.key)}),
		"words around the PEM": {{Name: "bag.pem", Data: slices.Concat([]byte("Bag Attributes\n    friendlyName: x\n"), certPEM(good.leaf), []byte("\nsubject=\n"), keyPEM(t, good.key), certPEM(good.intermediate))}},
		"a key as bare DER":    {{Name: "key.der", Data: pemBytes(keyPEM(t, good.key))}, {Name: "rest", Data: certPEM(good.leaf, good.intermediate)}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := apple.Read(apple.Source{Files: files, PassType: passType, Team: team}, now)
			if err != nil {
				t.Fatal(err)
			}
			shown := c.TLS()
			if c.PassType() != passType || c.Team() != team || c.SelfMade() || !slices.Equal(shown.Certificate[0], good.leaf.Raw) || !slices.Equal(shown.Certificate[1], good.intermediate.Raw) {
				t.Errorf("pass type %q, team %q, self-made %v, chain of %d", c.PassType(), c.Team(), c.SelfMade(), len(shown.Certificate))
			}
		})
	}
}

func pemBytes(text []byte) []byte {
	block, _ := pem.Decode(text)
	return block.Bytes
}

// PKCS#12 as Keychain and openssl write it, old and new, opens with its password only.
func TestPKCS12IsReadOldAndNew(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("SKIPPED ALOUD: no openssl (apt-get install openssl)")
	}
	good := forge(t, spoil{})
	dir := t.TempDir()
	for name, data := range map[string][]byte{"key.pem": keyPEM(t, good.key), "leaf.pem": certPEM(good.leaf), "wwdr.pem": certPEM(good.intermediate)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, flags := range map[string][]string{
		"new":        nil,
		"old":        {"-legacy"},
		"3DES":       {"-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"},
		"with chain": {"-certfile", "wwdr.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			c := exec.Command("openssl", append([]string{"pkcs12", "-export", "-inkey", "key.pem", "-in", "leaf.pem", "-out", "pass.p12", "-passout", "pass:secret ü", "-name", "Pass"}, flags...)...)
			c.Dir = dir
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			data, err := os.ReadFile(filepath.Join(dir, "pass.p12"))
			if err != nil {
				t.Fatal(err)
			}
			s := apple.Source{Files: []apple.File{{Name: "pass.p12", Data: data}, {Name: "wwdr.pem", Data: certPEM(good.intermediate)}}, Password: "secret ü"}
			if _, err := apple.Read(s, now); err != nil {
				t.Error(err)
			}
			s.Password = "secret"
			if _, err := apple.Read(s, now); err == nil || !strings.Contains(err.Error(), "pass.p12 does not open with the password") {
				t.Errorf("with another password: %v", err)
			}
		})
	}
}

// A file that asks for hours of work to open it is refused at once.
func TestPKCS12ThatWouldNotEndIsRefused(t *testing.T) {
	file := func(rounds int) apple.Source {
		inner, errInner := asn1.Marshal(struct {
			Salt   []byte
			Rounds int
		}{[]byte("salt"), rounds})
		outer, errOuter := asn1.Marshal(struct {
			Version int
			Content []byte
		}{3, inner})
		if err := errors.Join(errInner, errOuter); err != nil {
			t.Fatal(err)
		}
		return apple.Source{Files: []apple.File{{Name: "pass.p12", Data: outer}}}
	}
	for rounds, want := range map[int]string{10_000_001: "asks for more than", 2048: "is neither PEM"} {
		if _, err := apple.Read(file(rounds), now); err == nil || !strings.Contains(err.Error(), "pass.p12 "+want) {
			t.Errorf("%d rounds: %v", rounds, err)
		}
	}
}

// An operator hears of the end of certificates in time, louder each time, with the days.
func TestFindingsTellOfTheEnd(t *testing.T) {
	f := forge(t, spoil{})
	c, err := apple.Read(f.source(t), now)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Findings(now); len(got) != 0 {
		t.Errorf("a year before the end there are findings: %+v", got)
	}
	for _, tc := range []struct {
		days     int
		severity apple.Severity
	}{{61, -1}, {60, apple.Info}, {31, apple.Info}, {30, apple.Warning}, {8, apple.Warning}, {7, apple.Critical}, {0, apple.Critical}} {
		found := c.Findings(f.leaf.NotAfter.AddDate(0, 0, -tc.days))
		if tc.severity < 0 {
			if len(found) != 0 {
				t.Errorf("%d days before: %+v", tc.days, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Code != "pass_expires" || found[0].Severity != tc.severity || found[0].Days != tc.days {
			t.Errorf("%d days before: %+v, want %v", tc.days, found, tc.severity)
		}
	}
	after := c.Findings(f.leaf.NotAfter.Add(time.Second))
	if len(after) != 1 || after[0].Severity != apple.Refuses || !strings.Contains(after[0].Text, "expired on 2027-11-22") {
		t.Errorf("after the end: %+v", after)
	}
	if both := c.Findings(f.intermediate.NotAfter.AddDate(0, 0, -5)); len(both) != 2 || both[1].Code != "issuer_expires" || both[1].Days != 5 {
		t.Errorf("at the end of the intermediate: %+v", both)
	}
	if e := c.Expiries(); len(e) != 2 || !e[0].At.Equal(f.leaf.NotAfter) || e[1].Certificate != "issuer" {
		t.Errorf("expiries are %v", e)
	}
}

// Who is not Apple is said to be not Apple.
func TestFindingsTellWhoIsNotApple(t *testing.T) {
	own, err := authority().Credentials(now)
	if err != nil {
		t.Fatal(err)
	}
	if found := own.Findings(now); !own.SelfMade() || len(found) != 1 || found[0].Code != "self_made" || found[0].Severity != apple.Info {
		t.Errorf("self-made: %+v", found)
	}
	f := forge(t, spoil{intermediate: func(c *x509.Certificate) { c.Subject.Organization = []string{"Somebody"} }})
	c, found := apple.Inspect(f.source(t), now)
	if c == nil || len(found) != 1 || found[0].Code != "not_apple" || found[0].Severity != apple.Warning {
		t.Errorf("somebody's: %+v", found)
	}
}

// A self-made authority says so in every certificate, is read back from its file, and
// vouches for a double of Apple's servers.
func TestSelfMadeAuthority(t *testing.T) {
	a := authority()
	text, err := a.PEM()
	if err != nil {
		t.Fatal(err)
	}
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !strings.Contains(c.Subject.String(), "not Apple") {
			t.Errorf("certificate %v: %v", c.Subject, err)
		}
	}
	c, err := apple.Read(apple.Source{Files: []apple.File{{Name: "self-made.pem", Data: text}}, PassType: passType, Team: team}, now)
	if err != nil {
		t.Fatal(err)
	}
	server, err := a.Server(now, "api.push.example", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"api.push.example", "127.0.0.1"} {
		if _, err := server.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: c.Roots(), CurrentTime: now}); err != nil {
			t.Error(err)
		}
	}
	middle, err := x509.ParseCertificate(c.TLS().Certificate[1])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(middle)
	if _, err := c.TLS().Leaf.Verify(x509.VerifyOptions{Roots: a.Roots(), Intermediates: pool, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Errorf("the pass certificate as a client's: %v", err)
	}
}
