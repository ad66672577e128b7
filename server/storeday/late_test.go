package storeday

import (
	"context"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// manyDays are certificates of so many days in a row, of which the last one has entries of
// the first of March.
type manyDays struct {
	Store
	days []Certified
}

func (m manyDays) CertifiedDays(_ context.Context, _ uuid.UUID, from entry.Date, limit int) (out []Certified, _ error) {
	for _, c := range m.days {
		if c.Date >= from && len(out) < limit {
			out = append(out, c)
		}
	}
	return out, nil
}

func certificates(t *testing.T, n int) (m manyDays) {
	t.Helper()
	text := func(c Certificate) string {
		signed, err := jwt.NewWithClaims(jwt.SigningMethodNone, signed{c}).SignedString(jwt.UnsafeAllowNoneSignatureType)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	plain, late := text(Certificate{}), text(Certificate{Late: []Figures{{Date: "2026-03-01", Entries: 3}}})
	date := entry.Date(20260301)
	for i := range n {
		date = date.Next()
		m.days = append(m.days, Certified{Date: date, Number: uint64(i + 2), Text: plain})
	}
	m.days[n-1].Text = late
	return m
}

// What came late is found however many certificates are between, up to a bound that shows.
func TestWhatCameLateIsLookedForInAllCertificates(t *testing.T) {
	for _, tc := range []struct {
		days  int
		found bool
	}{{1, true}, {mostCertified - 1, true}, {mostCertified, true}, {mostCertified + 1, true}, {mostLater, true}, {mostLater + 1, false}} {
		days := certificates(t, tc.days)
		w := Waterfall{Date: 20260301, Certified: &Certified{}}
		_, err := New(Env{Store: days}).lateOut(t.Context(), uuid.Nil, &w)
		if err != nil || (len(w.LateOut) == 1 && w.LateOut[0].Entries == 3) != tc.found {
			t.Errorf("%d days: %+v, %v", tc.days, w.LateOut, err)
		}
		through := entry.Date(0)
		if !tc.found {
			through = days.days[mostLater-1].Date
		}
		if w.LateThrough != through {
			t.Errorf("%d days: looked through %s, want %s", tc.days, w.LateThrough, through)
		}
	}
}
