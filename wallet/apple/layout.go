package apple

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// maxListed is how many vouchers and expiring amounts the back lists.
const maxListed = 20

// layout puts a face into fields. A key stands once in the whole pass, so the fields of
// the poster, which repeat others, have keys of their own.
type layout struct {
	r      Request
	s      *said
	before string // of keys
}

func (l layout) text(key string, label phrase, value string) field {
	return field{Key: l.before + key, Label: l.s.say(label), Value: value}
}

// amount is a number of a unit, or money with its currency. JSON carries it exactly.
func (l layout) amount(key string, label phrase, n int64, code string) field {
	f := field{Key: l.before + key, Label: l.s.say(label)}
	if code == "" {
		f.Value, f.NumberStyle = json.Number(strconv.FormatInt(n, 10)), "PKNumberStyleDecimal"
		return f
	}
	f.Value, f.CurrencyCode = json.Number(currency.Decimal(code, n)), code
	return f
}

// date is a day; clock adds the time of day.
func (l layout) date(key string, label phrase, at time.Time) field {
	return field{Key: l.before + key, Label: l.s.say(label), Value: moment(at), DateStyle: "PKDateStyleMedium", TimeStyle: "PKDateStyleNone"}
}

func (l layout) clock(key string, label phrase, at time.Time) field {
	return field{Key: l.before + key, Label: l.s.say(label), Value: moment(at), DateStyle: "PKDateStyleShort", TimeStyle: "PKDateStyleShort"}
}

// telling makes a change of the field's value show on the lock screen.
func (l layout) telling(f field, message phrase) field {
	f.ChangeMessage = l.s.say(message)
	return f
}

// balance is the n-th balance.
func (l layout) balance(n int) field {
	b := l.r.Face.Balances[n]
	return l.telling(l.amount("balance"+strconv.Itoa(n), unitWord(b.Unit), b.Amount, b.Currency), changedBalance)
}

// storeCard is a member's card. The strip lies under the primary field, so with a stamp
// card drawn there the balance goes to the header, and the stamps show what counts.
func (l layout) storeCard() *structure {
	f := l.r.Face
	var out structure
	if len(f.Balances) > 0 {
		if l.r.Brand.Stamps != nil && has(l.r.Images, "strip") {
			out.Header = append(out.Header, l.balance(0))
		} else {
			out.Primary = append(out.Primary, l.balance(0))
		}
	}
	if len(f.Balances) > 1 {
		out.Header = append(out.Header, l.balance(1))
	}
	if len(f.Vouchers) > 0 {
		out.Header = append(out.Header, l.vouchers())
	}
	out.Secondary = append(l.next(), l.expiring()...)
	out.Auxiliary = append(l.tier(), l.asOf()...)
	out.Back = l.back()
	return &out
}

// tier is the member's tier, of whose change the phone tells, and how far it is to the
// next.
func (l layout) tier() []field {
	t := l.r.Face.Tier
	if t == nil {
		return nil
	}
	var out []field
	if t.Key != "" {
		out = append(out, l.telling(l.text("tier", wordTier, l.s.say(named(t.Names))), changedTier))
	}
	if t.NextKey != "" {
		next := named(t.NextNames)
		label := phrase{wordNextTier.en + ": " + next.en, wordNextTier.tr + ": " + next.tr, wordNextTier.pl + ": " + next.pl}
		out = append(out, l.amount("nextTier", label, t.Missing, t.Currency))
	}
	return out
}

// named is a name that the programme gives, in each language.
func named(names map[string]string) phrase {
	in := func(language string) string { return oneLine(face.NameIn(names, language), maxShort) }
	return phrase{in("en"), in("tr"), in("pl")}
}

// poster is the same card as iOS 27 shows it: one header field, up to four primary ones,
// one footer.
func (l layout) poster() *structure {
	f := l.r.Face
	l.before = "poster."
	var out structure
	if len(f.Vouchers) > 0 {
		out.Header = append(out.Header, l.vouchers())
	} else {
		out.Header = l.asOf()
	}
	if len(f.Balances) > 0 {
		out.Primary = append(out.Primary, l.balance(0))
	}
	out.Primary = append(append(out.Primary, l.next()...), l.expiring()...)
	if f.Number != "" {
		out.Footer = append(out.Footer, l.text("number", wordNumber, oneLine(f.Number, maxShort)))
	}
	out.Back = l.tier() // the front has no room
	out.Back = append(out.Back, l.back()...)
	return &out
}

// coupon is a voucher that stands for itself.
func (l layout) coupon() *structure {
	v := *l.r.Face.Voucher
	var out structure
	name := cmp.Or(oneLine(v.Name, maxShort), l.s.say(wordVoucher))
	if v.Discount > 0 && v.Currency != "" {
		out.Primary = append(out.Primary, l.amount("discount", phrase{name, name, name}, v.Discount, v.Currency))
	} else {
		out.Primary = append(out.Primary, l.text("name", wordVoucher, name))
	}
	if v.Left != 1 {
		out.Header = append(out.Header, l.telling(l.amount("left", wordUsesLeft, v.Left, ""), changedUses))
	}
	if !v.ValidTo.IsZero() {
		out.Secondary = append(out.Secondary, l.date("validTo", wordValidTo, v.ValidTo))
	}
	out.Auxiliary = l.asOf()
	out.Back = l.back()
	return &out
}

func (l layout) vouchers() field {
	return l.telling(l.amount("vouchers", wordVouchers, int64(len(l.r.Face.Vouchers)), ""), changedVouchers)
}

// next is the reward a member comes to next: "Free coffee 7/10", in no language's grammar.
func (l layout) next() []field {
	n := l.r.Face.Next
	if n == nil {
		return nil
	}
	return []field{l.text("next", wordNext, fmt.Sprintf("%s %d/%d", oneLine(n.Name, maxShort), n.Have, n.Cost))}
}

// expiring is what is lost soonest, and when.
func (l layout) expiring() []field {
	if len(l.r.Face.Expiring) == 0 {
		return nil
	}
	e := l.r.Face.Expiring[0]
	return []field{
		l.telling(l.amount("expiring", wordExpiring, e.Amount, e.Currency), changedExpiring),
		l.date("expiresOn", wordExpiresOn, e.At),
	}
}

func (l layout) asOf() []field {
	if l.r.Face.AsOf.IsZero() {
		return nil
	}
	return []field{l.clock("asOf", wordAsOf, l.r.Face.AsOf)}
}

// back is what stands behind the ⓘ: everything, in words.
func (l layout) back() []field {
	f := l.r.Face
	l.before += "back."
	out := make([]field, 0, 8+2*len(f.Balances)+len(f.Vouchers)+len(f.Expiring))
	if f.Voided {
		out = append(out, l.text("voided", wordVoided, oneLine(f.Number, maxShort)))
	}
	if f.Name != "" {
		out = append(out, l.text("member", wordMember, oneLine(f.Name, maxShort)))
	}
	if f.Number != "" {
		out = append(out, l.text("number", wordNumber, oneLine(f.Number, maxShort)))
	}
	for n, b := range f.Balances {
		if n > 1 && n < maxListed {
			out = append(out, l.amount("balance"+strconv.Itoa(n), unitWord(b.Unit), b.Amount, b.Currency))
		}
		if b.Pending != 0 && n < maxListed {
			out = append(out, l.amount("pending"+strconv.Itoa(n), wordPending, b.Pending, b.Currency))
		}
	}
	if f.Tier != nil && !f.Tier.KeptUntil.IsZero() {
		until := l.date("tierUntil", wordTierUntil, f.Tier.KeptUntil)
		until.IgnoresTimeZone = true // a day of the programme, wherever the phone is
		out = append(out, until)
	}
	out = append(out, l.lists()...)
	out = append(out, l.about()...)
	return out
}

// lists are the member's vouchers and what expires, a field each, so that the phone writes
// the dates in its own way and zone.
func (l layout) lists() []field {
	f := l.r.Face
	var out []field
	for n, v := range f.Vouchers[:min(len(f.Vouchers), maxListed)] {
		label, key := naming(wordVoucher, v.Name), "voucher"+strconv.Itoa(n)
		if v.ValidTo.IsZero() {
			out = append(out, l.amount(key, label, v.Left, ""))
			continue
		}
		out = append(out, l.date(key, label, v.ValidTo))
	}
	for n, e := range f.Expiring[:min(len(f.Expiring), maxListed)] {
		what := strconv.FormatInt(e.Amount, 10)
		if e.Currency != "" {
			what = currency.Decimal(e.Currency, e.Amount) + " " + e.Currency
		}
		out = append(out, l.date("expiring"+strconv.Itoa(n), naming(wordExpiring, what), e.At))
	}
	return out
}

// naming puts a name behind a word: "Voucher: Free coffee".
func naming(word phrase, name string) phrase {
	name = ": " + oneLine(name, maxShort)
	return phrase{word.en + name, word.tr + name, word.pl + name}
}

// about is what does not change with each sale.
func (l layout) about() []field {
	var out []field
	if !l.r.Face.AsOf.IsZero() {
		out = append(out, l.clock("asOf", wordLastChange, l.r.Face.AsOf), field{Key: l.before + "late", Value: l.s.say(wordLateUpdates)})
	}
	if site := l.r.Brand.Website; isHTTPS(site) {
		f := l.text("website", wordWebsite, site)
		f.AttributedValue = `<a href="` + html.EscapeString(site) + `">` + html.EscapeString(site) + `</a>`
		out = append(out, f)
	}
	terms := texts(l.r.Brand, maxBack, func(t brand.Texts) string { return t.Terms }, "")
	if terms.en != "" {
		out = append(out, field{Key: l.before + "terms", Label: l.s.say(wordTerms), Value: l.s.say(terms)})
	}
	return out
}
