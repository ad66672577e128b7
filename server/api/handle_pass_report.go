package api

import (
	"context"
	"math"
	"time"

	"github.com/tallystick/tallystick/server/pass"
)

// GetPassLags implements StrictServerInterface.
func (h handlers) GetPassLags(ctx context.Context, r GetPassLagsRequestObject) (GetPassLagsResponseObject, error) {
	hours, err := hoursOf(r.Params.Hours)
	if err != nil {
		return nil, err
	}
	spans, err := h.o.Passes.Lags(ctx, time.Duration(hours)*time.Hour)
	return GetPassLags200JSONResponse{Hours: hours, Items: showAll(spans, func(s pass.LagSpan) PassLagSpan {
		return PassLagSpan{From: s.From, Count: s.Count, MedianMs: s.Median.Milliseconds(), P95Ms: s.Worst.Milliseconds()}
	})}, err
}

// GetWallets implements StrictServerInterface.
func (h handlers) GetWallets(context.Context, GetWalletsRequestObject) (GetWalletsResponseObject, error) {
	now, certificates := h.o.Clock.Now(), []WalletCertificate{}
	if h.o.Expiry != nil {
		for _, c := range h.o.Expiry.Certificates() {
			left := int(math.Floor(c.EndsAt.Sub(now).Hours() / 24))
			certificates = append(certificates, WalletCertificate{Name: c.Name, EndsAt: c.EndsAt, DaysLeft: left})
		}
	}
	return GetWallets200JSONResponse{
		Apple: h.o.Passes.HasApple(), Google: h.o.Passes.HasGoogle(), SelfMade: h.o.SelfMade, Certificates: certificates,
	}, nil
}

// showEnding are the certificates that people must renew soon.
func (h handlers) showEnding() []EndingCertificate {
	if h.o.Expiry == nil {
		return []EndingCertificate{}
	}
	out := []EndingCertificate{}
	for _, c := range h.o.Expiry.Due() {
		out = append(out, EndingCertificate{Name: c.Name, EndsAt: c.EndsAt})
	}
	return out
}
