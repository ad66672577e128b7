package main

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tallystick/tallystick/wallet/apple"
	"github.com/tallystick/tallystick/wallet/apple/apns"
	"github.com/tallystick/tallystick/wallet/google"
)

// Where the self-made authority is kept in the data directory, and what it is called when
// no name is given.
const (
	selfMadeDir      = "wallet-self-made"
	selfMadeFile     = "pass.pem" // certificates and key: a secret
	selfMadeRoot     = "root.pem"
	selfMadePassType = "pass.self-made.tallystick"
	selfMadeTeam     = "SELFMADE00"
)

// maxWalletFile bounds a file named by a flag.
const maxWalletFile = 1 << 20

// walletFiles is what the wallet flags name, read. It asks nobody.
type walletFiles struct {
	credentials *apple.Credentials // nil without Apple
	findings    []apple.Finding
	token       *apns.TokenKey  // nil: pushes by certificate
	account     *google.Account // nil without Google
	trust       *x509.CertPool  // nil: the system's
}

// read opens the files of the flags. What does not fit is an error in words.
func (f walletFlags) read(data string, stdin *os.File, now time.Time) (*walletFiles, error) {
	w := &walletFiles{}
	var err error
	if w.trust, err = f.readTrust(); err != nil {
		return nil, err
	}
	if w.credentials, w.findings, err = f.readApple(data, stdin, now); err != nil {
		return w, err
	}
	if f.AppleAPNsKey != "" {
		text, err := readSecretFile("--apple-apns-key", f.AppleAPNsKey)
		if err != nil {
			return w, err
		}
		key, err := apns.ParseTokenKey(text, f.AppleAPNsKeyID, w.credentials.Team())
		if err != nil {
			return w, fmt.Errorf("--apple-apns-key: %w", err)
		}
		w.token = &key
	}
	if f.google() {
		text, err := readSecretFile("--google-service-account", f.GoogleServiceAccount)
		if err != nil {
			return w, err
		}
		account, err := google.ReadAccount(text)
		if err != nil {
			return w, fmt.Errorf("--google-service-account: %w", err)
		}
		if f.GoogleTokenURL != "" {
			account.TokenURL = f.GoogleTokenURL
		}
		w.account = &account
	}
	return w, nil
}

// readApple returns no credentials when Apple passes are not wanted.
func (f walletFlags) readApple(data string, stdin *os.File, now time.Time) (*apple.Credentials, []apple.Finding, error) {
	source := apple.Source{PassType: f.ApplePassType, Team: f.AppleTeam}
	var err error
	switch {
	case f.SelfMade:
		source.Files, err = f.selfMade(filepath.Join(data, selfMadeDir), now)
	case !f.apple():
		return nil, nil, nil
	default:
		if source.Password, err = f.p12Password(stdin); err != nil {
			return nil, nil, err
		}
		source.Files, err = f.appleFiles()
	}
	if err != nil {
		return nil, nil, err
	}
	credentials, findings := apple.Inspect(source, now)
	if credentials == nil {
		return nil, findings, &apple.Refused{Findings: findings}
	}
	return credentials, findings, nil
}

func (f walletFlags) appleFiles() ([]apple.File, error) {
	var out []apple.File
	for _, named := range []struct{ flag, path string }{{"--apple-key", f.AppleKey}, {"--apple-p12", f.AppleP12}} {
		if named.path == "" {
			continue
		}
		text, err := readSecretFile(named.flag, named.path)
		if err != nil {
			return nil, err
		}
		out = append(out, apple.File{Name: named.path, Data: text})
	}
	paths := f.AppleWWDR
	if f.AppleCertificate != "" {
		paths = append([]string{f.AppleCertificate}, paths...)
	}
	for _, path := range paths {
		text, err := readBounded(path)
		if err != nil {
			return nil, err
		}
		out = append(out, apple.File{Name: path, Data: text})
	}
	return out, nil
}

// selfMade reads the authority of the data directory, and makes it when there is none or
// its certificate has ended.
func (f walletFlags) selfMade(dir string, now time.Time) ([]apple.File, error) {
	path := filepath.Join(dir, selfMadeFile)
	text, err := readSecretFile("--wallet-self-made", path)
	if err == nil {
		files := []apple.File{{Name: path, Data: text}}
		if c, _ := apple.Inspect(apple.Source{Files: files}, now); c != nil {
			return files, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	authority, err := apple.SelfMade(cmp.Or(f.ApplePassType, selfMadePassType), cmp.Or(f.AppleTeam, selfMadeTeam), now, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	if text, err = authority.PEM(); err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, selfMadeRoot), authority.RootPEM(), 0o644); err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	return []apple.File{{Name: path, Data: text}}, nil
}

// readTrust returns the system's authorities and those of the file, nil without a file.
func (f walletFlags) readTrust() (*x509.CertPool, error) {
	if f.Trust == "" {
		return nil, nil
	}
	text, err := readBounded(f.Trust)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--wallet-trust: there is no certificate in %s", f.Trust)
	}
	return pool, nil
}

// readSecretFile reads a file that only its owner may read.
func readSecretFile(flag, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if openToOthers(info) {
		return nil, fmt.Errorf("%s: %s may be read by others (%s); chmod 600 it", flag, path, info.Mode().Perm())
	}
	return readBounded(path)
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read wallet file: %w", err)
	case info.Size() > maxWalletFile:
		return nil, fmt.Errorf("read wallet file: %s has %d bytes, at most %d are read", path, info.Size(), maxWalletFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read wallet file: %w", err)
	}
	return text, nil
}

// sender makes the sender of pushes.
func (w *walletFiles) sender(f walletFlags, now func() time.Time) (*apns.Sender, error) {
	o := apns.Options{Topic: w.credentials.PassType(), Token: w.token, URL: f.AppleAPNsURL, Roots: w.trust, Now: now}
	if w.token == nil {
		certificate := w.credentials.TLS()
		o.Certificate = &certificate
	}
	return apns.New(o)
}

// client is for questions to Google, and for those of the doctor.
func (w *walletFiles) client(timeout time.Duration) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if w.trust != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: w.trust, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport, Timeout: timeout}
}

// serviceURL is the address that Apple passes name; phones take no other than https.
func serviceURL(public string) string {
	if !strings.HasPrefix(public, "https://") {
		return ""
	}
	return strings.TrimSuffix(public, "/") + "/wallet/apple"
}
