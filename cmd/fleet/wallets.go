package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/googledouble"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/phones"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// dora joins on the card's page and has phones.
type dora struct {
	browser *hqclient.Shopper
	code    string // of her card
	fleet   *phones.Fleet
	iphone  *phones.Phone
	android *googledouble.Phone
}

// openWallets has HQ make passes: Apple's by a self-made authority, Google's at a double.
// A front with TLS stands before HQ, since phones are told no other address.
func (d *demo) openWallets(ctx context.Context) error {
	behind, err := url.Parse(d.HQ.URL())
	if err != nil {
		return err
	}
	d.front = httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(behind)
		r.Out.Host = r.In.Host
	}})
	if d.wallets, err = d.HQ.OpenWallets(ctx, d.front.URL); err != nil {
		return err
	}
	d.t.fact("HQ makes passes. Apple's are signed by an authority it made for itself: real iPhones refuse them.")
	d.t.fact("Google Wallet and Apple's push service are doubles on this machine: %s and %s", d.wallets.Google.URL(), d.wallets.Push.URL)
	d.t.fact("hq wallet doctor finds no error in the set-up")
	d.t.fact("phones reach HQ at %s, by a certificate made for this demo", d.front.URL)
	return nil
}

// closeWallets ends what openWallets started, after HQ.
func (d *demo) closeWallets() error {
	if d.dora.fleet != nil {
		d.dora.fleet.Close()
	}
	var err error
	if d.wallets != nil {
		err = d.wallets.Close()
	}
	if d.front != nil {
		d.front.Close()
	}
	return err
}

// joins has Dora get a card and add it to an iPhone.
func (d *demo) joins(ctx context.Context) (err error) {
	d.dora.browser = hqclient.NewShopper(d.front.URL, d.front.Client())
	if d.dora.code, err = d.dora.browser.Join(ctx, "Dora", "en"); err != nil {
		return err
	}
	pass, err := d.dora.browser.ApplePass(ctx)
	if err != nil {
		return err
	}
	d.t.fact("Dora joins on the card's page and downloads a pass of %d kB", (len(pass)+999)/1000)
	d.dora.fleet = phones.New(ctx, phones.Options{
		Service: d.HQ.URL() + "/wallet/apple", PassType: d.wallets.PassType, Double: d.wallets.Push, Reader: phones.NewReader(d.wallets.Root), Shows: phones.Card,
	})
	if d.dora.iphone, err = d.dora.fleet.Install(ctx, pass); err != nil {
		return err
	}
	d.t.fact("a simulated iPhone verifies its signature and registers for updates")
	return nil
}

// doraBuys sells to Dora for full euros, and waits until her iPhone shows what she has then.
func (d *demo) doraBuys(ctx context.Context) error {
	if err := d.n1.AwaitMember(ctx, d.dora.code, stage.Points, 0); err != nil {
		return err
	}
	sale, err := d.n1.Sell(ctx, "N1-0020", edgeclient.QuoteRequest{Code: d.dora.code, Currency: stage.Currency, Total: 35_00})
	if err != nil {
		return err
	}
	began := time.Now()
	d.t.fact("Dora buys for 35.00 EUR with the code on her iPhone, and earns %d points", earned(sale))
	if err := d.phoneShows(ctx, 35); err != nil {
		return err
	}
	f := d.dora.fleet.Figures()
	d.t.fact("the iPhone was pushed %d time(s), asked what is new, fetched the pass, and shows 35 points after %d ms", f.Pushes, time.Since(began).Milliseconds())
	return nil
}

func (d *demo) phoneShows(ctx context.Context, points int64) error {
	err := stage.Until(ctx, "the iPhone shows the points", func() (bool, error) {
		for _, shown := range d.dora.iphone.Shows() {
			if n, err := strconv.ParseFloat(shown, 64); err == nil && int64(n) == points {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if broken := d.dora.fleet.Violations(); len(broken) > 0 {
		return fmt.Errorf("the iPhone says: %s", broken[0])
	}
	return nil
}

// googlePhone has Dora save the card to Google Wallet and pay with its rotating code.
func (d *demo) googlePhone(ctx context.Context) error {
	link, err := d.dora.browser.GoogleLink(ctx)
	if err != nil {
		return err
	}
	if d.dora.android, err = d.wallets.Google.Save(link); err != nil {
		return err
	}
	d.t.fact("a save link of %d characters; the card is at the double, and the key of its code was never in the link", len(link))
	now := time.Now()
	show := func(at time.Time) string {
		var text string
		if text, err = d.dora.android.Show(at); err != nil {
			return ""
		}
		return text
	}
	scan, scanErr := d.n2.Scan(ctx, show(now))
	if err := errors.Join(err, scanErr, expect("the code's freshness", scan.Freshness, "rotating"), expect("whose it is", scan.Alias, "Dora")); err != nil {
		return err
	}
	d.t.fact("%s accepts the code that the simulated Android phone shows now, as %s", d.n2.Name, scan.Freshness)
	if _, err := d.n2.Scan(ctx, show(now.Add(-2*time.Minute))); problem.CodeOf(err) != problem.CodeStale {
		return fmt.Errorf("a screenshot of two minutes ago: the lane answered %w", errOr(err))
	}
	d.t.fact("and refuses a screenshot of two minutes ago")
	return nil
}
