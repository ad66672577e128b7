package e2e

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// TestCardPage plays the stories of the shopper's card against a real HQ and a real lane,
// which says what the codes on the phone are worth. Google Wallet is a double; Apple
// passes are of HQ's self-made authority.
func TestCardPage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane 1")
	needBrowser(t, s.HQ.URL()+"/card")
	// The page is opened without TLS, which browsers allow of their own machine.
	wallets, err := s.HQ.OpenWallets(t.Context(), "https://hq.example")
	must(t, err)
	t.Cleanup(func() { must(t, wallets.Close()) })
	token, err := edgeclient.ReadToken(lane.Data)
	must(t, err)
	stories{
		script: "card.mjs",
		stage: map[string]any{
			"hq": s.HQ.URL(), "token": s.Office.Token, "store": s.store.ID, "reward": s.programme.Coffee.Name,
			"lane": "http://" + lane.Addr, "laneToken": token, "breakfast": s.programme.Breakfast.ID,
		},
		actions: map[string]func() error{},
		questions: map[string]func(string) (any, error){
			"read the pass": func(file string) (any, error) { return readPass(t, wallets, file) },
			"save to the Google phone": func(link string) (any, error) {
				phone, err := wallets.Google.Save(link)
				if err != nil {
					return nil, err
				}
				return phone.Show(time.Now())
			},
		},
	}.play(t)
}

// readPass has openssl verify a pass, and returns what it says.
func readPass(t *testing.T, wallets *stage.Wallets, file string) (any, error) {
	t.Helper()
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	dir := t.TempDir()
	for _, name := range []string{"pass.json", "manifest.json", "signature"} {
		in, err := archive.Open(name)
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(in)
		_ = in.Close() // of an archive that was read
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			return nil, err
		}
	}
	verify := exec.CommandContext(t.Context(), "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", filepath.Join(dir, "signature"),
		"-content", filepath.Join(dir, "manifest.json"), "-CAfile", wallets.RootFile, "-purpose", "any", "-out", os.DevNull)
	if said, err := verify.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("openssl: %s: %w", said, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "pass.json"))
	return json.RawMessage(raw), err
}
