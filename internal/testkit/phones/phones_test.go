package phones_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallystick/tallystick/internal/testkit/apnsdouble"
	"github.com/tallystick/tallystick/internal/testkit/phones"
	"github.com/tallystick/tallystick/wallet/apple"
	"github.com/tallystick/tallystick/wallet/apple/apns"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// told plays the story to a fake HQ.
func told(t *testing.T, f fault, authority *apple.Authority, n int) *phones.Fleet {
	t.Helper()
	double, err := apnsdouble.Start(apnsdouble.Options{Topic: passType, ClientCAs: authority.Roots()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := double.Close(); err != nil {
			t.Error(err)
		}
	})
	credentials, err := authority.Credentials(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	certificate := credentials.TLS()
	sender, err := apns.New(apns.Options{Topic: passType, Certificate: &certificate, URL: double.URL, Roots: double.Roots, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sender.Close)
	hq := newFake(t, f, authority, sender)
	fleet := phones.New(t.Context(), phones.Options{
		Service: hq.server.URL, PassType: passType, Double: double, Reader: phones.NewReader(authority.Roots()), Shows: phones.Card,
	})
	t.Cleanup(fleet.Close)
	patience := 10 * time.Second // which an honest HQ never needs, however slow the machine
	if f != honest {
		patience = 300 * time.Millisecond
	}
	story := phones.Story{Phones: n, Waves: 2, Trouble: 2, Patience: patience}
	if err := story.Play(t.Context(), fleet, hq); err != nil {
		t.Fatal(err)
	}
	if all := double.Complaints(); len(all) > 0 {
		t.Errorf("the push service complains: %s", all[0])
	}
	return fleet
}

// An HQ that keeps its promises is seen to keep them, and each way to break one is seen.
func TestEveryFaultIsSeen(t *testing.T) {
	authority, err := apple.SelfMade(passType, "TEAM123456", time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		fault fault
		want  string // in a violation
	}{
		{"honest", honest, ""},
		{"tag before commit", tagBeforeCommit, "update lost"},
		{"a push that failed is dropped", pushDropped, "update lost"},
		{"a push for nothing", pushForNothing, "needless pushes"},
		{"Last-Modified never moves", sameModified, "update lost"},
		{"Last-Modified is the clock's second", modifiedByTheClock, "update lost"},
		{"every fetch sends the pass", alwaysSends, "needless fetch"},
		{"a restart forgets who must be told", forgetsQueue, "update lost"},
		{"410 of an old token drops the new one", dropsNewToken, "update lost"},
		{"deleted passes are pushed", neverUnregisters, "had deleted"},
		{"the tag is a number", numberForTag, "list:"},
		{"another's pass is listed", anothersPass, "no such pass"},
		{"a byte of the pass is wrong", unsigned, "serial"},
		{"the pass's token changes", tokenChanges, "token changed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			fleet := told(t, tc.fault, authority, 22)
			var all []string
			for _, v := range fleet.Violations() {
				all = append(all, v.String())
			}
			if tc.want == "" {
				if len(all) > 0 {
					t.Errorf("violations: %s", strings.Join(all[:min(5, len(all))], "\n"))
				}
				if n := fleet.Figures(); n.Fetches < 3*22 || n.Retries > 1000 || n.TokenChanges == 0 || n.Reinstalls == 0 || n.Deletions == 0 {
					t.Errorf("the story was not told: %+v", n)
				}
				return
			}
			if !strings.Contains(strings.Join(all, "\n"), tc.want) {
				t.Errorf("nothing of %q in %d violations %.500q", tc.want, len(all), all)
			}
		})
	}
}
