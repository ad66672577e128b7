package googlewallet_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/googledouble"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/wallet/google"
)

func TestAPassFollowsItsMember(t *testing.T) {
	r := newRig(t)
	m, phone := r.join("Ayşe")
	asked := r.asked()
	r.give(m, 150)
	r.later(time.Minute)
	if o := r.object(phone); *o.LoyaltyPoints.Balance.Int != 150 || o.State != google.StateActive || o.AccountName != "Ayşe" {
		t.Errorf("%+v", o)
	}
	got := asked()
	var sent map[string]json.RawMessage
	if len(got) != 1 || got[0].Method != http.MethodPatch || json.Unmarshal(got[0].Body, &sent) != nil {
		t.Fatalf("a sale sends %+v", got)
	}
	for name := range sent {
		if name != "loyaltyPoints" && name != "textModulesData" && name != "notifyPreference" {
			t.Errorf("a sale sends %s", name)
		}
	}
	r.restart()
	_, err := r.passes.GoogleLink(t.Context(), m.ID)
	r.must(err)
	r.later(time.Hour)
	if got := asked(); len(got) != 0 {
		t.Errorf("after a restart nothing changed, and it sends %+v", got)
	}
	r.must(r.verify(phone))

	_, err = r.programme.Block(t.Context(), m.ID, m.ID)
	r.must(err)
	r.later(time.Minute)
	o := r.object(phone)
	if o.State != google.StateInactive || o.RotatingBarcode != nil || o.Barcode != nil || o.AccountName != "" || o.LoyaltyPoints != nil {
		t.Errorf("a blocked member's object says %+v", o)
	}
	if bad := r.double.Refusals(); len(bad) != 0 {
		t.Errorf("refused: %v", bad)
	}
}

func TestAnotherLookChangesTheClassOnce(t *testing.T) {
	r := newRig(t)
	r.join("Ann")
	r.join("Bob")
	asked := r.asked()
	r.look.Background, r.look.Version = "#102030", 2
	r.later(time.Hour)
	classes := 0
	for _, a := range asked() {
		if strings.HasPrefix(a.Path, "loyaltyClass/") {
			classes++
		}
	}
	var c google.LoyaltyClass
	r.must(json.Unmarshal(r.double.Stored("loyaltyClass", r.issuer.CardClassID()), &c))
	if classes != 1 || c.HexBackgroundColor != "#102030" || !strings.Contains(c.ProgramLogo.SourceURI.URI, "/2/") {
		t.Errorf("%d requests for the class, %+v", classes, c)
	}
	if bad := r.double.Refusals(); len(bad) != 0 {
		t.Errorf("refused: %v", bad)
	}
}

// A voucher is told of once, becomes an offer of its own, and is linked with the card.
func TestVouchersAreToldAndLinked(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { vouchersAreToldAndLinked(t, newRig(t)) })
	t.Run("postgres", func(t *testing.T) { vouchersAreToldAndLinked(t, newRigOn(t, pg.Start(t).Database(t))) })
}

func vouchersAreToldAndLinked(t *testing.T, r *rig) {
	t.Helper()
	m, phone := r.join("Ann")
	v := r.voucher(m)
	r.later(time.Minute)
	if n := r.double.Notified("loyaltyObject", phone.Object()); n != 1 {
		t.Errorf("told %d times of a voucher", n)
	}
	link, err := r.passes.GoogleVoucherLink(t.Context(), m.ID, v.ID)
	r.must(err)
	offer, err := r.double.Save(link)
	r.must(err)
	r.later(time.Hour)
	if o := r.object(phone); len(o.LinkedOfferIDs) != 1 || o.LinkedOfferIDs[0] != offer.Object() {
		t.Errorf("linked are %v, want %s", o.LinkedOfferIDs, offer.Object())
	}
	passes, err := r.passes.Of(t.Context(), m.ID)
	r.must(err)
	for _, p := range passes {
		if p.Voucher == v.ID {
			_, err := r.passes.Void(t.Context(), m.ID, p.ID)
			r.must(err)
		}
	}
	r.later(time.Hour)
	var o google.Object
	r.must(json.Unmarshal(r.double.Stored("offerObject", offer.Object()), &o))
	if o.State != google.StateInactive || o.ClassID == "" || o.Barcode != nil {
		t.Errorf("a voided offer says %+v", o)
	}
	r.give(m, 1)
	r.later(time.Hour)
	if o := r.object(phone); len(o.LinkedOfferIDs) != 0 {
		t.Errorf("still linked: %v", o.LinkedOfferIDs)
	}
	if bad := r.double.Refusals(); len(bad) != 0 {
		t.Errorf("refused: %v", bad)
	}
}

func TestAPhoneIsToldOfThreeThingsADay(t *testing.T) {
	r := newRig(t)
	m, phone := r.join("Ann")
	for range 6 {
		r.give(m, 10)
		r.later(time.Hour)
	}
	if n := r.double.Notified("loyaltyObject", phone.Object()); n != google.PerDay {
		t.Errorf("told %d times in a day", n)
	}
	r.voucher(m)
	r.later(time.Hour)
	if raw := r.double.Stored("loyaltyObject", phone.Object()); !bytes.Contains(raw, []byte(`"messageType":"TEXT"`)) {
		t.Errorf("the fourth thing does not stand on the pass: %s", raw)
	}
	if n := r.double.Notified("loyaltyObject", phone.Object()); n != google.PerDay {
		t.Errorf("told %d times in a day", n)
	}
	r.later(25 * time.Hour)
	r.give(m, 10)
	r.later(time.Minute)
	if n := r.double.Notified("loyaltyObject", phone.Object()); n != 1 {
		t.Errorf("told %d times on the next day", n)
	}
}

// While Google answers 429, 500 or nothing it is left alone, and nothing is lost.
func TestABadDayOfGoogles(t *testing.T) {
	for name, fault := range map[string]googledouble.Fault{
		"429": {Status: 429, After: "30"}, "500": {Status: 500}, "nothing": {Silence: true}, "403": {Status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			m, phone := r.join("Ann")
			other, second := r.join("Bob")
			asked := r.asked()
			r.double.Always(&fault)
			for i := range 10 {
				r.give(m, 1)
				r.give(other, 1)
				r.later(time.Minute)
				if i == 5 {
					r.restart()
				}
			}
			if n := len(asked()); n == 0 || n > 40 {
				t.Errorf("%d requests in ten bad minutes", n)
			}
			_, err := r.passes.GoogleLink(t.Context(), m.ID)
			r.want(err, problem.Unavailable)
			r.double.Always(nil)
			for range 40 {
				r.later(2 * time.Minute)
			}
			for _, p := range []*googledouble.Phone{phone, second} {
				if o := r.object(p); *o.LoyaltyPoints.Balance.Int != 10 {
					t.Errorf("the balance is %d", *o.LoyaltyPoints.Balance.Int)
				}
			}
			if r.wallet.Answers()["200"] == 0 {
				t.Errorf("answers: %v", r.wallet.Answers())
			}
		})
	}
}

// What Google holds is put right when it was lost there, or when HQ was restored and
// knows less than Google.
func TestWhatIsKnownIsPutRight(t *testing.T) {
	r := newRig(t)
	m, phone := r.join("Ann")
	r.double.Next(googledouble.Fault{Status: 404}) // the patch; an insert finds it there
	r.give(m, 5)
	r.later(time.Minute)
	if o := r.object(phone); *o.LoyaltyPoints.Balance.Int != 5 {
		t.Errorf("%+v", o)
	}
	asked := r.asked()
	r.epoch = 2
	r.restart()
	all, err := r.passes.Of(t.Context(), m.ID)
	r.must(err)
	_, err = r.passes.Resend(t.Context(), m.ID, all[0].ID)
	r.must(err)
	r.later(time.Minute)
	got := asked()
	last := got[len(got)-1]
	if !strings.Contains(string(last.Body), "accountName") || !strings.Contains(string(last.Body), "rotatingBarcode") {
		t.Errorf("after a restore it sends %s", last.Body)
	}
}

// The key on a phone follows the epochs by itself, and what it shows is good all along.
func TestTheKeyFollowsTheEpochs(t *testing.T) {
	r := newRig(t)
	_, phone := r.join("Ann")
	key := func() string { return r.object(phone).RotatingBarcode.TOTP.Parameters[0].Key }
	first := key()
	r.must(r.verify(phone))
	begins := r.groups[1].NotBefore
	r.later(begins.Sub(r.hq.Clock.Now()) + time.Minute)
	if key() != first {
		t.Error("a minute into the epoch the key is the new one")
	}
	asked := r.asked()
	r.later(google.Settle)
	if key() == first {
		t.Error("the key stayed the old one")
	}
	if n := len(asked()); n != 1 {
		t.Errorf("%d requests for one change", n)
	}
	r.must(r.verify(phone)) // not synced: the old key
	r.must(phone.Sync())
	r.must(r.verify(phone))
	r.later(30 * 24 * time.Hour)
	r.must(r.verify(phone))
}

func TestACallbackCountsOnce(t *testing.T) {
	r := newRig(t)
	m, phone := r.join("Ann")
	sign := func(c googledouble.Callback) []byte {
		t.Helper()
		raw, err := r.double.Sign(c)
		r.must(err)
		return raw
	}
	state := func(want pass.State) {
		t.Helper()
		all, err := r.passes.Of(t.Context(), m.ID)
		r.must(err)
		if len(all) != 1 || all[0].State != want {
			t.Errorf("%+v, want %s", all, want)
		}
	}
	state(pass.Issued)
	save := sign(googledouble.Callback{Object: phone.Object(), Event: "save"})
	r.want(r.wallet.Callback(t.Context(), bytes.Replace(save, []byte("save"), []byte("del\x20"), 1)), problem.Forbidden)
	state(pass.Issued)
	r.must(r.wallet.Callback(t.Context(), save))
	state(pass.Installed)
	r.must(r.wallet.Callback(t.Context(), sign(googledouble.Callback{Object: phone.Object(), Event: "del"})))
	state(pass.Issued)
	r.want(r.wallet.Callback(t.Context(), save), problem.Conflict)
	r.must(r.passes.Flush(t.Context()))
	r.restart()
	r.want(r.wallet.Callback(t.Context(), save), problem.Conflict)
	state(pass.Issued)
	r.want(r.wallet.Callback(t.Context(), []byte("{}")), problem.InvalidBody)
	r.want(r.wallet.Callback(t.Context(), sign(googledouble.Callback{Object: r.issuer.ObjectID("00" + strings.Repeat("ab", 16)), Event: "save"})), problem.NotFound)
	r.want(r.wallet.Callback(t.Context(), sign(googledouble.Callback{Object: r.issuer.ObjectID("x"), Event: "save"})), problem.NotFound)
	figures, err := r.passes.Figures(t.Context(), time.Hour)
	r.must(err)
	for _, s := range figures.Stages {
		if s.Channel == pass.Google && (s.Issued != 1 || s.Installed != 1) {
			t.Errorf("the funnel says %+v", s)
		}
	}
	r.later(time.Hour)
	r.want(r.wallet.Callback(t.Context(), save), problem.Forbidden) // over
}

// Callbacks that overtake each other leave the pass as the shopper left it: by when they
// end, which Google sets. Those of one millisecond count as they come.
func TestCallbacksOutOfOrder(t *testing.T) {
	for name, c := range map[string]struct {
		events []string
		ends   []time.Duration
		want   pass.State
	}{
		"a removal comes late": {[]string{"save", "del", "save"}, []time.Duration{0, 2, 1}, pass.Issued},
		"a save comes late":    {[]string{"del", "save", "del"}, []time.Duration{0, 2, 1}, pass.Installed},
		"in order":             {[]string{"save", "del", "save"}, []time.Duration{0, 1, 2}, pass.Installed},
		"at one moment":        {[]string{"save", "del"}, []time.Duration{0, 0}, pass.Issued},
	} {
		r := newRig(t)
		m, phone := r.join("Ann")
		for i, event := range c.events {
			raw, err := r.double.Sign(googledouble.Callback{
				Object: phone.Object(), Event: event, Expires: r.hq.Clock.Now().Add(10*time.Minute + c.ends[i]*time.Second),
			})
			r.must(err)
			r.must(r.wallet.Callback(t.Context(), raw))
		}
		all, err := r.passes.Of(t.Context(), m.ID)
		r.must(err)
		if len(all) != 1 || all[0].State != c.want {
			t.Errorf("%s: %+v, want %s", name, all, c.want)
		}
	}
}

// Two processes that send the same pass at once do not know whose was the last at
// Google, so it is soon sent whole again.
func TestTwoProcessesAtOnce(t *testing.T) {
	r := newRig(t)
	m, phone := r.join("Ann")
	slow := &between{Store: r.hq.DB}
	r.store = slow
	r.restart()
	slow.before = func() {
		other := *r
		other.store = r.hq.DB
		other.restart()
		other.give(m, 7)
		other.later(time.Minute)
	}
	r.give(m, 5)
	asked := r.asked()
	r.later(time.Minute)
	r.later(time.Minute)
	if o := r.object(phone); *o.LoyaltyPoints.Balance.Int != 12 {
		t.Errorf("Google has %d points", *o.LoyaltyPoints.Balance.Int)
	}
	whole := 0
	for _, a := range asked() {
		if strings.Contains(string(a.Body), "rotatingBarcode") {
			whole++
		}
	}
	if whole != 1 {
		t.Errorf("the pass was sent whole %d times", whole)
	}
	if bad := r.double.Refusals(); len(bad) != 0 {
		t.Errorf("refused: %v", bad)
	}
}
