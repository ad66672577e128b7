package googledouble_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/googledouble"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/google"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// shop is a till with a clock that is right, and a member whose card is on a phone.
type shop struct {
	*tilltest.World
	till   *till.Till
	phone  *googledouble.Phone
	double *googledouble.Double
	client *google.Client
	issuer google.Issuer
	face   face.Face
}

var look = brand.Brand{Programme: "Club", Company: "Shop"}

const serial = "0190a5f07c1e7b3a9d445e6f70819203"

func newShop(t *testing.T) *shop {
	t.Helper()
	w := tilltest.NewWorld(t)
	s := &shop{World: w, issuer: google.Issuer{ID: "3388", Programme: uuid.UUID{1}, Site: "https://hq.example"}}
	var err error
	s.double, err = googledouble.Start(googledouble.Options{Issuer: s.issuer.ID, Now: w.Clock.Now})
	must(t, err)
	t.Cleanup(s.double.Close)
	member := w.Member(1000)
	s.face = face.Face{
		Kind: face.KindMember, Subject: member.ID, Code: w.Static(t, member), Issue: member.Issue,
		Rotating: []face.RotatingKey{rotating(w.Group, member.ID)}, ExpiresOn: tilltest.Start.AddDate(1, 0, 0),
	}
	s.save(t)
	s.till, _ = w.Open(t, &tilltest.Journal{Writer: w.Writer}, tilltest.NewState())
	t.Cleanup(func() { must(t, s.till.Close()) })
	w.Feed(t, s.till, append(w.Base(t), w.Item(t, wire.ItemMember, member.ID, member))...)
	return s
}

func rotating(g keys.GroupKey, subject uuid.UUID) face.RotatingKey {
	return face.RotatingKey{Epoch: g.Epoch, Key: g.TOTPKey(subject), NotBefore: g.NotBefore, NotAfter: g.NotAfter}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// save brings the card to the double by REST and to the phone by its link.
func (s *shop) save(t *testing.T) {
	t.Helper()
	raw, err := s.double.Account()
	must(t, err)
	account, err := google.ReadAccount(raw)
	must(t, err)
	s.client = google.NewClient(google.ClientOptions{Account: account, API: s.double.URL(), HTTP: s.double.Client(), Now: s.Clock.Now})
	class, err := google.FieldsOf(s.issuer.CardClass(look))
	must(t, err)
	must(t, s.client.Insert(t.Context(), google.LoyaltyClasses, class))
	must(t, s.client.Insert(t.Context(), google.LoyaltyObjects, s.object(t)))
	link, err := google.SaveLink(account, s.issuer, face.KindMember, serial, nil, s.Clock.Now())
	must(t, err)
	s.phone, err = s.double.Save(link)
	must(t, err)
}

func (s *shop) object(t *testing.T) google.Fields {
	t.Helper()
	o, err := s.issuer.Card(serial, s.face, look, nil, s.Clock.Now())
	must(t, err)
	fields, err := google.FieldsOf(o)
	must(t, err)
	return fields
}

func (s *shop) show(t *testing.T) string {
	t.Helper()
	code, err := s.phone.Show(s.Clock.Now())
	must(t, err)
	return code
}

// sell commits a sale with a code and says why not.
func (s *shop) sell(t *testing.T, key, code string) problem.Code {
	t.Helper()
	_, err := s.till.Commit(t.Context(), tilltest.Commit(key, till.Request{Basket: tilltest.Basket(1000), Codes: []string{code}}))
	if err == nil {
		return ""
	}
	return problem.CodeOf(err)
}

// The proof of issue 6: what a Google phone computes by itself, with its clock off by a
// minute, is accepted with no network; the screenshot two minutes later is not.
func TestATillTakesWhatAGooglePhoneShows(t *testing.T) {
	for name, c := range map[string]struct {
		off           time.Duration
		used, notUsed problem.Code // of screenshots two minutes later
	}{
		"a clock that is right": {0, problem.CodeStale, problem.CodeStale},
		"a minute behind":       {-time.Minute, problem.CodeStale, problem.CodeStale},
		// What it shows is at two minutes what a phone a minute behind shows then, so only
		// the code that was used is known to be a copy. See decision 0023.
		"a minute ahead": {time.Minute, problem.CodeReplayed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.phone.Off = c.off
			code := s.show(t)
			if len(code) != passtoken.RotatingLen {
				t.Fatalf("the phone shows %d characters", len(code))
			}
			if why := s.sell(t, "live", code); why != "" {
				t.Fatalf("the live code: %s", why)
			}
			s.Pass(30 * time.Second)
			screenshot := s.show(t)
			s.Pass(90 * time.Second)
			if why := s.sell(t, "used", code); why != c.used {
				t.Errorf("a screenshot of the used code: %q, want %q", why, c.used)
			}
			s.Pass(30 * time.Second)
			if why := s.sell(t, "other", screenshot); why != c.notUsed {
				t.Errorf("a screenshot of another code: %q, want %q", why, c.notUsed)
			}
			s.Pass(30 * time.Second)
			screenshot = s.show(t)
			s.Pass(150 * time.Second)
			if why := s.sell(t, "late", screenshot); why != problem.CodeStale {
				t.Errorf("a screenshot after two and a half minutes: %q", why)
			}
			if why := s.sell(t, "again", s.show(t)); why != "" {
				t.Errorf("the live code then: %s", why)
			}
		})
	}
}

// A phone that is out of reach when an epoch begins is taken as well as one that has the
// new key, for as long as both epochs last, and no moment is refused.
func TestTheChangeOfEpochRefusesNobody(t *testing.T) {
	s := newShop(t)
	day := 24 * time.Hour
	next := keys.GroupKey{Epoch: 2, Secret: make([]byte, 32), NotBefore: tilltest.Start.Add(day), NotAfter: tilltest.Start.Add(365 * day)}
	old := s.Group
	old.NotAfter = next.NotBefore.Add(8 * day)
	s.Feed(t, s.till, s.Item(t, wire.ItemGroups, s.HQ, wire.Groups{Keys: []keys.GroupKey{old, next}}))
	s.face.Rotating = []face.RotatingKey{rotating(old, s.face.Subject), rotating(next, s.face.Subject)}
	away := *s.phone
	away.Off = -time.Minute
	s.phone.Off = -time.Minute
	sent := s.object(t).Sent()
	changed := 0
	take := func(name string, p *googledouble.Phone) {
		t.Helper()
		code, err := p.Show(s.Clock.Now())
		must(t, err)
		if why := s.sell(t, name+s.Clock.Now().String(), code); why != "" {
			t.Fatalf("%s at %s: %s", name, s.Clock.Now(), why)
		}
	}
	s.Pass(day - 2*time.Minute)
	for end := next.NotBefore.Add(google.Settle + 5*time.Minute); s.Clock.Now().Before(end); s.Pass(90 * time.Second) {
		if patch := s.object(t).Since(sent); len(patch) > 0 { // as HQ does when google.NextChange has come
			must(t, s.client.Patch(t.Context(), google.LoyaltyObjects, s.issuer.ObjectID(serial), patch))
			sent = s.object(t).Sent()
			changed++
		}
		must(t, s.phone.Sync())
		take("in reach", s.phone)
	}
	if changed != 1 {
		t.Fatalf("the key was changed %d times", changed)
	}
	s.Pass(6 * day)
	take("in reach", s.phone)
	s.Pass(time.Minute)
	take("out of reach for a week", &away)
}
