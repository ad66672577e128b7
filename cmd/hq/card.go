package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/tallystick/tallystick/server/card"
	"github.com/tallystick/tallystick/server/mail"
	"github.com/tallystick/tallystick/server/rounds"
	"github.com/tallystick/tallystick/sync/wire"
)

// cardFlags are the settings of the shopper's side.
type cardFlags struct {
	PublicURL string `name:"public-url" help:"Where shoppers reach this HQ, for links in mails and the code at the till; https in earnest. Unless it is set, tills show the address at which they were enrolled." default:"http://localhost:8080"`
	Programme string `name:"programme-name" help:"What the programme is called on cards and in mails." default:"Tallystick"`
	SMTP      string `name:"smtp" help:"Mail server: smtp://, smtp+tls:// or smtps://[user:password@]host[:port] (an address with a password belongs into the environment). Without one mails stay in the outbox, where administrators can read them."`
	MailFrom  string `name:"mail-from" help:"Sender's address of mails, as in Shop <card@example.org>. Needed with a mail server."`
}

// maxProgramme bounds the name of a programme, in bytes.
const maxProgramme = 60

func (f cardFlags) check() error {
	u, err := url.Parse(f.PublicURL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("--public-url is %q: it must be like https://loyalty.example.org", f.PublicURL)
	case f.Programme == "" || len(f.Programme) > maxProgramme || strings.ContainsAny(f.Programme, "\r\n"):
		return fmt.Errorf("--programme-name must have 1 to %d bytes in one line", maxProgramme)
	case f.SMTP != "" && f.MailFrom == "":
		return errors.New("--smtp needs --mail-from")
	}
	return nil
}

// unsetURL is the default of --public-url, which no shopper could open.
const unsetURL = "http://localhost:8080"

// address is where anybody reaches this HQ.
func (f cardFlags) address() string { return strings.TrimSuffix(f.PublicURL, "/") }

// page is where shoppers open their card.
func (f cardFlags) page() string { return f.address() + "/card" }

// public is what terminals tell shoppers of this HQ.
func (f cardFlags) public() wire.Public {
	if f.PublicURL == unsetURL {
		return wire.Public{}
	}
	return wire.Public{CardPage: f.page()}
}

// sender returns nil when no mail server is given.
func (f cardFlags) sender() (mail.Sender, error) {
	if f.SMTP == "" {
		return nil, nil
	}
	return mail.NewSMTP(f.SMTP, f.MailFrom)
}

// shopperSide makes the outbox and the cards. Nothing is sent before the outbox is started.
func (o *office) shopperSide(f cardFlags, mine rounds.Turn, log *slog.Logger) error {
	if err := f.check(); err != nil {
		return err
	}
	sender, err := f.sender()
	if err != nil {
		return err
	}
	secret, err := o.secrets.derive("card join")
	if err != nil {
		return err
	}
	o.mails = mail.New(mail.Options{Store: o.db, Sender: sender, Clock: o.clock, NewID: newID, Log: log, Turn: mine})
	o.cards = card.New(card.Env{
		Store: o.db, Programme: o.programme, Ledger: o.ledger, Accounts: o.accounts, Stores: o.fleet, Claims: o.claims, Mails: o.mails, Wallets: o.shopperWallets(),
		Clock: o.clock, Random: rand.Reader, NewID: newID, Secret: secret,
		Name: f.Programme, Address: f.page(), Tiers: o.tiers,
	})
	return nil
}
