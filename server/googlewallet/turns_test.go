package googlewallet_test

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/server/googlewallet"
	"github.com/tallystick/tallystick/wallet/google"
)

// Two processes on one database ask Google no more often than one may; a clock that ran
// ahead for a while holds nobody up.
func TestTwoProcessesKeepToGooglesLimitTogether(t *testing.T) {
	r := newRig(t)
	r.join("Ann")
	raw, err := r.double.Account()
	r.must(err)
	account, err := google.ReadAccount(raw)
	r.must(err)
	process := func() *google.Client {
		return google.NewClient(google.ClientOptions{
			Account: account, API: r.double.URL(), HTTP: r.double.Client(), Now: r.hq.Clock.Now, Turns: googlewallet.Turns{Store: r.hq.DB},
			Sleep: func(ctx context.Context, d time.Duration) error { r.hq.Clock.Advance(d); return ctx.Err() },
		})
	}
	one, other := process(), process()
	_, err = googlewallet.Turns{Store: r.hq.DB}.Reserve(t.Context(), r.hq.Clock.Now().Add(24*time.Hour), google.Limit())
	r.must(err)
	r.hq.Clock.Advance(time.Minute)
	began := r.hq.Clock.Now()
	for range 50 {
		for _, c := range []*google.Client{one, other} {
			var class google.LoyaltyClass
			r.must(c.Get(t.Context(), google.LoyaltyClasses, r.issuer.CardClassID(), &class))
		}
	}
	if peak := r.double.Peak(); peak > google.PerSecond+5 {
		t.Errorf("%d requests in a second", peak)
	}
	if took := r.hq.Clock.Now().Sub(began); took < 4500*time.Millisecond || took > 6*time.Second {
		t.Errorf("100 requests took %s", took)
	}
}
