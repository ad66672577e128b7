package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/branding"
	"github.com/tallystick/tallystick/server/card"
	"github.com/tallystick/tallystick/server/expiry"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/rounds"
	"github.com/tallystick/tallystick/wallet/apple"
	"github.com/tallystick/tallystick/wallet/apple/apns"
)

// walletSide makes the look of passes, the wallets that the flags name, and the life of
// passes. What does not fit is an error. Nothing is told to anybody before it is started.
func (o *office) walletSide(s *surroundings, f walletFlags, c cardFlags, mine rounds.Turn, log *slog.Logger) error {
	if err := f.check(); err != nil {
		return err
	}
	files, err := f.read(s.cli.Data, s.stdin, o.clock.Now())
	if err != nil {
		return err
	}
	secret, err := o.secrets.derive("passes")
	if err != nil {
		return err
	}
	o.branding = branding.New(branding.Env{Store: o.db, Clock: o.clock, Programme: c.Programme})
	options := pass.Options{
		Store: o.db, Programme: o.programme, Books: o.db, Branding: o.branding, Tiers: o.tiers, Clock: o.clock, NewID: newID, NewSecretID: newSecretID,
		Secret: secret, HQEpoch: o.secrets.Epoch, Log: log, Turn: mine,
		Settings: pass.Settings{
			UrgentGap: max(f.PushGap, time.Millisecond), Gap: max(f.LookGap, time.Millisecond), Notice: f.Notice, Reissue: f.Reissue,
		},
	}
	if files.credentials != nil {
		if options.Apple, options.Push, err = o.appleSide(files, f, c); err != nil {
			return err
		}
	}
	if files.account != nil {
		if err := o.googleSide(files, f, c.PublicURL, mine, log); err != nil {
			return err
		}
		options.Google = o.google
	}
	o.passes = pass.New(options)
	if o.google != nil {
		o.google.SetPasses(o.passes)
	}
	o.credentials = files.credentials
	o.warn(files, s.cli.Data, c.PublicURL, log)
	return nil
}

func newSecretID() uuid.UUID { return uuid.Must(uuid.NewRandomFromReader(rand.Reader)) }

// appleSide makes the programme's passes for iPhones, and what tells them.
func (o *office) appleSide(files *walletFiles, f walletFlags, c cardFlags) (pass.AppleWallet, pass.Pusher, error) {
	options := apple.Options{Credentials: files.credentials, ServiceURL: serviceURL(c.PublicURL), Now: o.clock.Now}
	if options.ServiceURL != "" {
		options.CardURL = c.page()
	}
	issuer, err := apple.New(options)
	if err != nil {
		return nil, nil, err
	}
	sender, err := files.sender(f, o.clock.Now)
	if err != nil {
		return nil, nil, err
	}
	return appleWallet{issuer, o.branding, files.credentials.SelfMade()}, pusher{sender}, nil
}

// warn tells the log what people must know of wallets that do fit.
func (o *office) warn(files *walletFiles, data, public string, log *slog.Logger) {
	if files.credentials == nil {
		return
	}
	if files.credentials.SelfMade() {
		log.Warn("Apple passes are signed by a self-made authority: no real phone takes them", "authority", filepath.Join(data, selfMadeDir, selfMadeRoot))
	}
	if serviceURL(public) == "" {
		log.Warn("Apple passes are made without updates: phones ask for https, and --public-url is not", "public_url", public)
	}
	for _, finding := range files.findings {
		if finding.Severity > apple.Info {
			log.Warn("Apple's certificates need a person; hq wallet doctor says more", "finding", finding.Text)
		}
	}
}

// watchExpiry watches the certificates of the wallets. It is not started.
func (o *office) watchExpiry(f walletFlags, c cardFlags, mine rounds.Turn, log *slog.Logger) *expiry.Watch {
	options := expiry.Options{To: f.AlertMail, Mails: o.mails, Programme: c.Programme, Locale: f.AlertIn, Clock: o.clock, Log: log, Turn: mine}
	if o.credentials != nil {
		for _, e := range o.credentials.Expiries() {
			options.Certificates = append(options.Certificates, expiry.Certificate{Name: certificateName(e), EndsAt: e.At})
		}
	}
	return expiry.New(options)
}

// certificateName says which certificate it is, in words.
func certificateName(e apple.Expiry) string {
	return "Apple Wallet: the " + e.Certificate + " certificate"
}

// appleWallet makes passes for iPhones.
type appleWallet struct {
	issuer   *apple.Issuer
	look     *branding.Service
	selfMade bool
}

// PassType implements pass.AppleWallet.
func (a appleWallet) PassType() string { return a.issuer.PassType() }

// Pass implements pass.AppleWallet. A pass of a self-made authority says so where its
// maker's name stands.
func (a appleWallet) Pass(c pass.Card) ([]byte, error) {
	images, err := a.look.Images(c.Brand, c.Face)
	if err != nil {
		return nil, err
	}
	look := c.Brand
	if a.selfMade {
		look.Company = "SELF-MADE, for trying out: " + look.Company
	}
	return a.issuer.Pass(apple.Request{Face: c.Face, Brand: look, Images: images, Serial: c.Serial, AuthToken: c.Token})
}

// Bundle implements pass.AppleWallet.
func (appleWallet) Bundle(passes [][]byte) ([]byte, error) { return apple.Bundle(passes...) }

// pusher tells iPhones.
type pusher struct{ sender *apns.Sender }

// Push implements pass.Pusher.
func (p pusher) Push(ctx context.Context, token string) pass.Result {
	r := p.sender.Push(ctx, token)
	// Refused is told later too: once somebody has put it right, what waits is told.
	out := pass.Result{Outcome: pass.Later, After: r.After, Since: r.Since, Reason: r.Reason}
	switch r.Outcome {
	case apns.Sent:
		out.Outcome = pass.Done
	case apns.Gone, apns.BadToken:
		out.Outcome = pass.Gone
	}
	return out
}

// shopperWallets are the passes as shoppers ask for them on their card's page.
type shopperWallets struct {
	passes *pass.Service
	offers card.Offers
}

func (o *office) shopperWallets() card.Wallets {
	if o.passes == nil {
		return nil
	}
	return shopperWallets{o.passes, card.Offers{Apple: o.passes.HasApple(), Google: o.passes.HasGoogle(), SelfMade: o.selfMade()}}
}

// selfMade says whether Apple passes are signed by a self-made authority.
func (o *office) selfMade() bool { return o.credentials != nil && o.credentials.SelfMade() }

// Offers implements card.Wallets.
func (w shopperWallets) Offers() card.Offers { return w.offers }

// Joined implements card.Wallets.
func (w shopperWallets) Joined(ctx context.Context, member uuid.UUID) error {
	return w.passes.Joined(ctx, member)
}

// Changed implements card.Wallets.
func (w shopperWallets) Changed(ctx context.Context, member uuid.UUID) error {
	return w.passes.Touch(ctx, member)
}

// Lost implements card.Wallets.
func (w shopperWallets) Lost(ctx context.Context, member uuid.UUID) error {
	_, err := w.passes.Lost(ctx, uuid.Nil, member)
	return err
}

// TakenBack implements card.Wallets.
func (w shopperWallets) TakenBack(ctx context.Context, v programme.Voucher) error {
	return w.passes.TakenBack(ctx, v)
}

// Replaced implements card.Wallets.
func (w shopperWallets) Replaced(ctx context.Context, member uuid.UUID) error {
	return w.passes.Replaced(ctx, uuid.Nil, member)
}

// Left implements card.Wallets.
func (w shopperWallets) Left(ctx context.Context, member uuid.UUID) error {
	return w.passes.Left(ctx, member)
}

// Apple implements card.Wallets.
func (w shopperWallets) Apple(ctx context.Context, member, voucher uuid.UUID) ([]byte, error) {
	issued, err := w.issue(ctx, member, voucher, pass.Apple)
	if err != nil {
		return nil, err
	}
	ticket, err := w.passes.Ticket(issued)
	if err != nil {
		return nil, err
	}
	got, err := w.passes.Download(ctx, ticket)
	return got.Body, err
}

func (w shopperWallets) issue(ctx context.Context, member, voucher uuid.UUID, ch pass.Channel) (pass.Pass, error) {
	if voucher != uuid.Nil {
		return w.passes.IssueVoucher(ctx, member, voucher, ch)
	}
	return w.passes.Issue(ctx, member, ch)
}

// Google implements card.Wallets.
func (w shopperWallets) Google(ctx context.Context, member, voucher uuid.UUID) (string, error) {
	if voucher != uuid.Nil {
		return w.passes.GoogleVoucherLink(ctx, member, voucher)
	}
	return w.passes.GoogleLink(ctx, member)
}
