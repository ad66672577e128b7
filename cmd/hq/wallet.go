package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/branding"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/rounds"
	"github.com/tallystick/tallystick/wallet/apple"
	"github.com/tallystick/tallystick/wallet/apple/apns"
)

// wallets makes the passes, with the wallets that the flags name. Nobody is told of
// anything before they are started.
func (o *office) wallets(f walletFlags, c cardFlags, data string, stdin *os.File, mine rounds.Turn, log *slog.Logger) error {
	if err := f.check(); err != nil {
		return err
	}
	files, err := f.read(data, stdin, o.clock.Now())
	if err != nil {
		return err
	}
	secret, err := o.secrets.derive("passes")
	if err != nil {
		return err
	}
	options := pass.Options{
		Store: o.db, Books: o.db, Programme: o.programme, Branding: o.branding, Clock: o.clock, NewID: newID, NewSecretID: uuid.New,
		Secret: secret, HQEpoch: o.secrets.Epoch, Log: log, Turn: mine,
	}
	if files.credentials != nil {
		for _, finding := range files.findings {
			log.Warn("Apple Wallet: "+finding.Text, "code", finding.Code)
		}
		issuer, err := apple.New(apple.Options{
			Credentials: files.credentials, ServiceURL: serviceURL(c.PublicURL), CardURL: secureOnly(c.page()), Now: o.clock.Now,
		})
		if err != nil {
			return fmt.Errorf("make Apple passes: %w", err)
		}
		sender, err := files.sender(f, o.clock.Now)
		if err != nil {
			return err
		}
		options.Apple, options.Push = appleWallet{issuer, o.branding}, applePusher{sender}
	}
	o.passes = pass.New(options)
	return nil
}

// secureOnly leaves an address out that is not of TLS.
func secureOnly(address string) string {
	if !strings.HasPrefix(address, "https://") {
		return ""
	}
	return address
}

// appleWallet is wallet/apple as server/pass needs it.
type appleWallet struct {
	*apple.Issuer
	look *branding.Service
}

// Pass implements pass.AppleWallet.
func (a appleWallet) Pass(c pass.Card) ([]byte, error) {
	images, err := a.look.Images(c.Brand, c.Face)
	if err != nil {
		return nil, fmt.Errorf("draw pass: %w", err)
	}
	return a.Issuer.Pass(apple.Request{Face: c.Face, Brand: c.Brand, Images: images, Serial: c.Serial, AuthToken: c.Token})
}

// Bundle implements pass.AppleWallet.
func (appleWallet) Bundle(passes [][]byte) ([]byte, error) { return apple.Bundle(passes...) }

// applePusher is wallet/apple/apns as server/pass needs it.
type applePusher struct{ sender *apns.Sender }

// Push implements pass.Pusher.
func (a applePusher) Push(ctx context.Context, pushToken string) pass.Result {
	r := a.sender.Push(ctx, pushToken)
	out := pass.Result{Reason: r.Reason, After: r.After, Since: r.Since}
	switch r.Outcome {
	case apns.Sent:
		out.Outcome = pass.Done
	case apns.Gone, apns.BadToken:
		out.Outcome = pass.Gone
	case apns.Throttled, apns.Later, apns.AuthExpired, apns.Refused:
		// Refused too: once somebody has put it right, what waits is told.
		out.Outcome = pass.Later
	}
	return out
}
