package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/edge/lan"
	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
)

// openLAN begins to listen for the other lanes, when this one does not stand alone.
func (a *agent) openLAN(signer keys.Signer) error {
	if a.cfg.LAN == "" {
		if len(a.cfg.Lanes) > 0 {
			return errors.New("--lane names other lanes, but without --lan they cannot reach this one")
		}
		return nil
	}
	node, err := lan.New(lan.Config{
		Listen: a.cfg.LAN, Static: a.cfg.Lanes, Discover: a.cfg.Discover, Store: a.id.Store, Private: signer.Private(), Random: rand.Reader,
		Terminal: a.till, HQ: a.id.Address, HTTP: &http.Client{Transport: direct()}, Clock: clock.System{}, Log: a.log,
	})
	if err != nil {
		return fmt.Errorf("join the store's lanes: %w", err)
	}
	a.lan = node
	return nil
}

// toHQ is the way to HQ: direct, or through a lane that reaches it.
func (a *agent) toHQ() http.RoundTripper {
	if a.lan == nil {
		return direct()
	}
	return &lan.Transport{Direct: direct(), Node: a.lan}
}

func direct() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute,
	}
}

// connect tells the till whom it may ask for what it does not hold.
func (a *agent) connect() {
	helpers := till.Helpers{Authoriser: a.syncer}
	if a.lan != nil {
		helpers.Lender, helpers.Neighbours = a.lan, a.lan
	}
	a.till.Connect(helpers)
}
