package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is no certificate, and keys that are none, are said so; good ones are checked by
// internal/e2e.
func TestVerifyCertificateSaysWhatIsWrong(t *testing.T) {
	data := initialised(t)
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	garbage := file("x.y.z\n")
	for _, tc := range []struct {
		want string
		args []string
	}{
		{"certificate 1 of 1: the certificate is not good", []string{"--data", data, garbage}},
		{"there are 0 certificates", []string{"--data", data, file("\n")}},
		{"no such file", []string{"--data", data, filepath.Join(data, "none")}},
		{"there is no Ed25519 key", []string{"--keys", file(`{"keys":[]}`), garbage}},
		{"read key set", []string{"--keys", file("no"), garbage}},
		{"read keys", []string{"--keys", "http://127.0.0.1:1/jwks.json", garbage}},
		{"say --keys", []string{"--data", t.TempDir(), garbage}},
	} {
		code, out, errs := hq(t, append([]string{"verify-certificate"}, tc.args...)...)
		if code != 1 || out != "" || !strings.Contains(errs, tc.want) {
			t.Errorf("%v: %d %q %q, want %q", tc.args, code, out, errs, tc.want)
		}
	}
}

func TestAuditPackSaysWhatIsWrong(t *testing.T) {
	data := initialised(t)
	dir := filepath.Join(t.TempDir(), "pack")
	for want, args := range map[string][]string{
		"must be a date":                      {"--to", "31.12.2026", dir},
		"there is no store":                   {"--store", "nowhere", dir},
		"no day of these stores is certified": {dir},
		"is there already":                    {data},
	} {
		code, _, errs := hq(t, append([]string{"audit-pack", "--data", data}, args...)...)
		if code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%v: %d %q, want %q", args, code, errs, want)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
}

func TestCertificateSaysWhatIsWrong(t *testing.T) {
	data := initialised(t)
	file := filepath.Join(t.TempDir(), "day.pdf")
	for want, args := range map[string][]string{
		"must be like 2026-03-31": {"S1", "31.12.2026"},
		"there is no store":       {"S1", "2026-03-31", "--pdf", file},
		"--locale must be one of": {"S1", "2026-03-31", "--locale", "de"},
	} {
		code, _, errs := hq(t, append([]string{"certificate", "--data", data}, args...)...)
		if code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%v: %d %q, want %q", args, code, errs, want)
		}
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
}
