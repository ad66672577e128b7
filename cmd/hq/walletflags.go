package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"time"
)

// p12PasswordVariable may hold the password of the PKCS#12 file.
const p12PasswordVariable = "TALLYSTICK_HQ_APPLE_P12_PASSWORD"

// walletFlags are the settings of the wallets. Without any of them there are web cards
// and printed cards.
type walletFlags struct {
	ApplePassType        string   `help:"Pass type id of Apple passes, like pass.org.example.loyalty."`
	AppleTeam            string   `help:"Team id of the Apple Developer account: ten letters and digits."`
	AppleCertificate     string   `help:"PEM file with the pass type certificate." type:"path"`
	AppleKey             string   `help:"PEM file with the certificate's key." type:"path"`
	AppleP12             string   `name:"apple-p12" help:"PKCS#12 file with both, in place of the two PEM files. Its password stands in TALLYSTICK_HQ_APPLE_P12_PASSWORD or in the file of --apple-p12-password-file." type:"path"`
	AppleP12PasswordFile string   `name:"apple-p12-password-file" help:"File whose first line is the password of --apple-p12; - is standard input." type:"path"`
	AppleWWDR            []string `name:"apple-wwdr" help:"PEM file with an intermediate certificate of Apple (WWDR). Several may be given: the one that issued the certificate is taken." type:"path" sep:"none"`
	AppleAPNsURL         string   `name:"apple-apns-url" help:"Apple's push service." default:"https://api.push.apple.com"`
	AppleAPNsKey         string   `name:"apple-apns-key" help:"File AuthKey_….p8 to push with, in place of the pass type certificate." type:"path"`
	AppleAPNsKeyID       string   `name:"apple-apns-key-id" help:"Id of that key: ten letters and digits."`

	GoogleServiceAccount string `help:"JSON key file of the service account that works for the issuer." type:"path"`
	GoogleIssuer         string `help:"Issuer id of the Google Wallet API: a number."`
	GoogleAPIURL         string `name:"google-api-url" help:"The Google Wallet API." default:"https://walletobjects.googleapis.com"`
	GoogleTokenURL       string `name:"google-token-url" help:"Where access tokens are asked for. Default: what the key file says."`
	GoogleSaveURL        string `name:"google-save-url" help:"Beginning of save links." default:"https://pay.google.com/gp/v/save"`
	GoogleKeysURL        string `name:"google-keys-url" help:"Where the keys of Google's callbacks are." default:"https://pay.google.com/gp/m/issuer/keys"`

	SelfMade  bool          `name:"wallet-self-made" help:"Sign Apple passes by an authority made in the data directory, to try everything without an account. Real phones refuse such passes."`
	Trust     string        `name:"wallet-trust" help:"PEM file with authorities to trust besides the system's, for servers that play Apple or Google." type:"path"`
	PushGap   time.Duration `name:"wallet-push-gap" help:"The least time between two pushes to one phone." default:"10s"`
	LookGap   time.Duration `name:"wallet-look-gap" help:"The same for what nobody waits for: looks, rewards, points about to expire." default:"15m"`
	Notice    time.Duration `name:"wallet-notice" help:"How long before points expire a pass says so, once for each lot." default:"720h"`
	Reissue   bool          `name:"wallet-reissue" help:"Issue the code of an Apple pass anew after each redemption, at most once an hour: a copied code is worth less. Members with a printed card keep theirs."`
	AlertMail []string      `name:"wallet-alert-mail" help:"Who is mailed 60, 30 and 7 days before a wallet certificate expires."`
	AlertIn   string        `name:"wallet-alert-locale" help:"The language of those mails: en, tr or pl." enum:"en,tr,pl" default:"en"`
}

var (
	passTypeForm = regexp.MustCompile(`^pass\.[A-Za-z0-9][A-Za-z0-9.-]{0,190}$`)
	tenForm      = regexp.MustCompile(`^[A-Z0-9]{10}$`)
	issuerForm   = regexp.MustCompile(`^[0-9]{1,24}$`)
)

// apple says whether Apple passes are made.
func (f walletFlags) apple() bool { return f.SelfMade || f.ApplePassType != "" }

// google says whether Google cards are made.
func (f walletFlags) google() bool { return f.GoogleServiceAccount != "" }

// check says which settings do not fit each other. It opens no file.
func (f walletFlags) check() error {
	if f.PushGap < 0 || f.LookGap < 0 {
		return fmt.Errorf("--wallet-push-gap is %v and --wallet-look-gap is %v: they must not be negative", f.PushGap, f.LookGap)
	}
	if f.Notice < 0 {
		return fmt.Errorf("--wallet-notice is %v: it must not be negative", f.Notice)
	}
	if err := f.checkApple(); err != nil {
		return err
	}
	if err := f.checkPush(); err != nil {
		return err
	}
	return f.checkGoogle()
}

func (f walletFlags) checkApple() error {
	files := f.AppleCertificate != "" || f.AppleKey != "" || f.AppleP12 != "" || len(f.AppleWWDR) > 0
	switch {
	case f.SelfMade && files:
		return errors.New("--wallet-self-made makes its own certificate: leave it out, or leave --apple-certificate, --apple-key, --apple-p12 and --apple-wwdr out")
	case f.ApplePassType != "" && !passTypeForm.MatchString(f.ApplePassType):
		return fmt.Errorf("--apple-pass-type is %q: it must be like pass.org.example.loyalty", f.ApplePassType)
	case f.AppleTeam != "" && !tenForm.MatchString(f.AppleTeam):
		return fmt.Errorf("--apple-team is %q: it must be ten capital letters and digits", f.AppleTeam)
	case f.SelfMade:
		return nil
	case f.ApplePassType == "" && (files || f.AppleTeam != ""):
		return errors.New("Apple passes need --apple-pass-type")
	case f.ApplePassType == "":
		return nil
	case f.AppleTeam == "":
		return errors.New("--apple-pass-type needs --apple-team")
	case f.AppleP12 != "" && (f.AppleCertificate != "" || f.AppleKey != ""):
		return errors.New("give --apple-p12, or --apple-certificate and --apple-key, not both")
	case f.AppleP12 == "" && (f.AppleCertificate == "" || f.AppleKey == ""):
		return errors.New("--apple-pass-type needs --apple-certificate and --apple-key, or --apple-p12")
	case f.AppleP12PasswordFile != "" && f.AppleP12 == "":
		return errors.New("--apple-p12-password-file needs --apple-p12")
	case len(f.AppleWWDR) == 0:
		return errors.New("--apple-pass-type needs --apple-wwdr, Apple's certificate that issued yours")
	}
	return nil
}

func (f walletFlags) checkPush() error {
	switch {
	case (f.AppleAPNsKey == "") != (f.AppleAPNsKeyID == ""):
		return errors.New("--apple-apns-key and --apple-apns-key-id go together")
	case f.AppleAPNsKeyID != "" && !tenForm.MatchString(f.AppleAPNsKeyID):
		return fmt.Errorf("--apple-apns-key-id is %q: it must be ten capital letters and digits", f.AppleAPNsKeyID)
	case f.AppleAPNsKey != "" && !f.apple():
		return errors.New("--apple-apns-key needs --apple-pass-type")
	}
	return checkURL("--apple-apns-url", f.AppleAPNsURL)
}

func (f walletFlags) checkGoogle() error {
	switch {
	case (f.GoogleServiceAccount == "") != (f.GoogleIssuer == ""):
		return errors.New("--google-service-account and --google-issuer go together")
	case f.GoogleIssuer != "" && !issuerForm.MatchString(f.GoogleIssuer):
		return fmt.Errorf("--google-issuer is %q: it must be a number", f.GoogleIssuer)
	}
	for name, address := range map[string]string{
		"--google-api-url": f.GoogleAPIURL, "--google-save-url": f.GoogleSaveURL, "--google-keys-url": f.GoogleKeysURL,
	} {
		if err := checkURL(name, address); err != nil {
			return err
		}
	}
	if f.GoogleTokenURL == "" {
		return nil
	}
	return checkURL("--google-token-url", f.GoogleTokenURL)
}

func checkURL(name, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s is %q: it must be like https://wallet.example.org", name, address)
	}
	return nil
}

// p12Password finds the password of the PKCS#12 file; none is the empty one.
func (f walletFlags) p12Password(stdin *os.File) (string, error) {
	if f.AppleP12PasswordFile == "" {
		return os.Getenv(p12PasswordVariable), nil
	}
	return readPassword(f.AppleP12PasswordFile, stdin)
}
