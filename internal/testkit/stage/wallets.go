package stage

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick/internal/testkit/apnsdouble"
	"github.com/tallystick/tallystick/internal/testkit/googledouble"
)

// Issuer is the issuer at the double of Google Wallet.
const Issuer = "3388000000000000001"

// passType is that of HQ's self-made authority.
const passType = "pass.self-made.tallystick"

// Wallets are the servers that play Apple and Google on this machine, and what phones
// need to know of HQ.
type Wallets struct {
	Google   *googledouble.Double
	Push     *apnsdouble.Double
	Root     *x509.CertPool // vouches for Apple passes
	RootFile string         // the same, as PEM
	PassType string
}

// OpenWallets has HQ, which runs, start again with a self-made authority for Apple passes
// and with doubles of Google Wallet and of Apple's push service, after its doctor found no
// error in that. public is the https address that passes and links name. The caller closes
// them after HQ.
func (h *HQ) OpenWallets(ctx context.Context, public string) (w *Wallets, err error) {
	w = &Wallets{PassType: passType, RootFile: filepath.Join(h.Data, "wallet-self-made", "root.pem")}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	// The doctor makes the authority, which the push service must know before HQ asks it.
	if _, err := h.Command(ctx, "wallet", "doctor", "--offline", "--wallet-self-made", "--data", h.Data, "--public-url", public); err != nil {
		return w, err
	}
	root, err := os.ReadFile(w.RootFile)
	if err != nil {
		return w, fmt.Errorf("open wallets: %w", err)
	}
	w.Root = x509.NewCertPool()
	if !w.Root.AppendCertsFromPEM(root) {
		return w, errors.New("open wallets: the authority's file has no certificate")
	}
	flags, err := w.play(h.Data, public)
	if err != nil {
		return w, err
	}
	said, err := h.Command(ctx, append([]string{"wallet", "doctor", "--data", h.Data}, flags...)...)
	if err != nil {
		return w, fmt.Errorf("open wallets: the doctor says: %s: %w", said, err)
	}
	if err := h.Stop(ctx); err != nil {
		return w, err
	}
	h.More = flags
	return w, h.Start(ctx)
}

// play starts the doubles and returns the flags by which HQ reaches them.
func (w *Wallets) play(dir, public string) (flags []string, err error) {
	if w.Push, err = apnsdouble.Start(apnsdouble.Options{Topic: passType, ClientCAs: w.Root}); err != nil {
		return nil, err
	}
	if w.Google, err = googledouble.Start(googledouble.Options{Issuer: Issuer}); err != nil {
		return nil, err
	}
	account, err := w.Google.Account()
	if err != nil {
		return nil, err
	}
	trust, key := filepath.Join(dir, "doubles.pem"), filepath.Join(dir, "google-double.json")
	if err := os.WriteFile(trust, append(w.Push.RootPEM, w.Google.Certificate()...), 0o600); err != nil {
		return nil, fmt.Errorf("open wallets: %w", err)
	}
	if err := os.WriteFile(key, account, 0o600); err != nil {
		return nil, fmt.Errorf("open wallets: %w", err)
	}
	return []string{
		"--public-url", public, "--wallet-self-made", "--apple-apns-url", w.Push.URL, "--wallet-trust", trust,
		"--google-service-account", key, "--google-issuer", Issuer, "--google-api-url", w.Google.URL(), "--google-keys-url", w.Google.RootKeysURL(),
	}, nil
}

// Close ends the doubles.
func (w *Wallets) Close() error {
	if w.Google != nil {
		w.Google.Close()
	}
	if w.Push != nil {
		return w.Push.Close()
	}
	return nil
}
