package main

import (
	"strings"
	"testing"
)

// defaults are the flags as kong leaves them when none is given.
func walletDefaults() walletFlags {
	return walletFlags{
		AppleAPNsURL: "https://api.push.apple.com", GoogleAPIURL: "https://walletobjects.googleapis.com",
		GoogleSaveURL: "https://pay.google.com/gp/v/save", GoogleKeysURL: "https://pay.google.com/gp/m/issuer/keys",
	}
}

func TestWalletFlagsThatDoNotFitAreRefusedInWords(t *testing.T) {
	full := func(change func(*walletFlags)) walletFlags {
		f := walletDefaults()
		f.ApplePassType, f.AppleTeam, f.AppleCertificate, f.AppleKey, f.AppleWWDR = "pass.org.example.card", "ABCDE12345", "c.pem", "k.pem", []string{"w.pem"}
		f.GoogleServiceAccount, f.GoogleIssuer = "s.json", "3388000000022123456"
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		flags walletFlags
		says  string // empty when they fit
	}{
		"none":                      {walletDefaults(), ""},
		"all":                       {full(func(*walletFlags) {}), ""},
		"PKCS#12":                   {full(func(f *walletFlags) { f.AppleCertificate, f.AppleKey, f.AppleP12 = "", "", "p.p12" }), ""},
		"self-made":                 {func() walletFlags { f := walletDefaults(); f.SelfMade = true; return f }(), ""},
		"self-made with a name":     {func() walletFlags { f := walletDefaults(); f.SelfMade, f.ApplePassType = true, "pass.a.b"; return f }(), ""},
		"self-made with files":      {full(func(f *walletFlags) { f.SelfMade = true }), "--wallet-self-made makes its own"},
		"a pass type of an app":     {full(func(f *walletFlags) { f.ApplePassType = "org.example.card" }), "like pass.org.example"},
		"a team in small letters":   {full(func(f *walletFlags) { f.AppleTeam = "abcde12345" }), "--apple-team"},
		"no team":                   {full(func(f *walletFlags) { f.AppleTeam = "" }), "needs --apple-team"},
		"no pass type":              {full(func(f *walletFlags) { f.ApplePassType = "" }), "need --apple-pass-type"},
		"no key":                    {full(func(f *walletFlags) { f.AppleKey = "" }), "--apple-certificate and --apple-key"},
		"both kinds of file":        {full(func(f *walletFlags) { f.AppleP12 = "p.p12" }), "not both"},
		"a password for no file":    {full(func(f *walletFlags) { f.AppleP12PasswordFile = "pw" }), "needs --apple-p12"},
		"no intermediate":           {full(func(f *walletFlags) { f.AppleWWDR = nil }), "--apple-wwdr"},
		"a push key without its id": {full(func(f *walletFlags) { f.AppleAPNsKey = "a.p8" }), "go together"},
		"a push key without passes": {func() walletFlags {
			f := walletDefaults()
			f.AppleAPNsKey, f.AppleAPNsKeyID = "a.p8", "ABCDE12345"
			return f
		}(), "needs --apple-pass-type"},
		"a wrong push key id":    {full(func(f *walletFlags) { f.AppleAPNsKey, f.AppleAPNsKeyID = "a.p8", "short" }), "--apple-apns-key-id"},
		"a push service by name": {full(func(f *walletFlags) { f.AppleAPNsURL = "api.push.apple.com" }), "--apple-apns-url"},
		"an issuer in letters":   {full(func(f *walletFlags) { f.GoogleIssuer = "BCR2DN4T" }), "--google-issuer"},
		"an account, no issuer":  {full(func(f *walletFlags) { f.GoogleIssuer = "" }), "go together"},
		"a token address":        {full(func(f *walletFlags) { f.GoogleTokenURL = "oauth2" }), "--google-token-url"},
		"an api with a query":    {full(func(f *walletFlags) { f.GoogleAPIURL = "https://a.example?x" }), "--google-api-url"},
	} {
		err := c.flags.check()
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// What is refused at start is refused before anything is served.
func TestServeRefusesWalletFlagsThatDoNotFit(t *testing.T) {
	dir := initialised(t)
	code, out, errs := hq(t, "serve", "--data", dir, "--listen", "127.0.0.1:0", "--google-issuer", "1")
	if code != 1 || out != "" || !strings.Contains(errs, "--google-service-account and --google-issuer go together") {
		t.Errorf("%d %q %q", code, out, errs)
	}
}
