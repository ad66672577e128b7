package google

import (
	"strings"
	"time"

	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// Telling is a message to a shopper, by language; "en" is what other languages get.
type Telling struct {
	ID     string
	Header map[string]string
	Body   map[string]string
}

// Message makes Google's form of it, for a reader's language. Notify has the phone tell
// of it at once; otherwise it stands on the pass.
func (t Telling) Message(locale string, notify bool) Message {
	lang := reader(locale)
	say := func(in map[string]string, most int) func(string) string {
		return func(language string) string { return cut(in[language], in["en"], most) }
	}
	header, body := say(t.Header, maxTitle), say(t.Body, maxBody)
	m := Message{
		ID: t.ID, Header: header(lang), Body: body(lang), MessageType: messageText,
		LocalizedHeader: spoken(lang, header), LocalizedBody: spoken(lang, body),
	}
	if notify {
		m.MessageType = messageAndNotify
	}
	return m
}

// PerDay is of how many things a pass may tell in 24 hours by a notification; Google
// drops what is more.
const PerDay = 3

// SoonWithin is how long before it expires a shopper is told of something.
const SoonWithin = 7 * 24 * time.Hour

var wordNewVoucher = word{"A voucher for you", "Size bir kupon", "Kupon dla Ciebie"}

// News are what a member may be told of on the card of a face: each voucher, each tier that
// they come to, and what expires soon. The ids are the same each time, so that who
// remembers them tells each but once.
func News(f face.Face, now time.Time) []Telling {
	var out []Telling
	add := func(id string, header word, body func(language string) string) {
		t := Telling{ID: id, Header: map[string]string{}, Body: map[string]string{}}
		for _, l := range brand.Languages {
			t.Header[l], t.Body[l] = header.in(l), body(l)
		}
		out = append(out, t)
	}
	if f.Voided || f.Kind != face.KindMember {
		return nil
	}
	for _, v := range f.Vouchers {
		add("voucher-"+v.ID.String(), wordNewVoucher, func(l string) string { return voucherLine(l, v) })
	}
	if t := f.Tier; t != nil && t.Key != "" {
		add("tier-"+t.Key, wordNewTier, func(l string) string { return tierLines(l, t)[0] })
	}
	for _, e := range f.Expiring {
		if e.At.Sub(now) <= SoonWithin {
			add("expiring-"+strings.ToLower(e.Unit)+"-"+e.At.UTC().Format("20060102"), wordExpiring, func(l string) string { return expiringLine(l, e) })
		}
	}
	return out
}
