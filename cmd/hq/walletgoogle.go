package main

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tallystick/tallystick/server/googlewallet"
	"github.com/tallystick/tallystick/server/rounds"
	"github.com/tallystick/tallystick/wallet/google"
)

// googleTimeout bounds a question to Google.
const googleTimeout = 20 * time.Second

// googleSide makes the programme's passes at Google. It asks nobody anything.
func (o *office) googleSide(files *walletFiles, f walletFlags, public string, mine rounds.Turn, log *slog.Logger) error {
	issuer := google.Issuer{ID: f.GoogleIssuer, Programme: o.secrets.HQ, Site: strings.TrimSuffix(public, "/"), Save: f.GoogleSaveURL}
	if err := issuer.Check(); err != nil {
		return fmt.Errorf("--public-url or --google-issuer: %w", err)
	}
	asker := files.client(googleTimeout)
	client := google.NewClient(google.ClientOptions{
		Account: *files.account, API: f.GoogleAPIURL, HTTP: asker, Now: o.clock.Now, Turns: googlewallet.Turns{Store: o.db},
		Observe: func(method string, status int) { o.google.Observe(method, status) },
	})
	o.google = googlewallet.New(googlewallet.Options{
		Store: o.db, Client: client, Roots: google.NewRootKeys(f.GoogleKeysURL, asker, o.clock.Now), Account: *files.account, Issuer: issuer,
		HQEpoch: o.secrets.Epoch, Clock: o.clock, Jitter: rand.Float64, Log: log, Turn: mine,
	})
	return nil
}
