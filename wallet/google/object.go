package google

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// ErrFace means that a face cannot be shown as asked.
var ErrFace = errors.New("the face is not of a pass that Google can show")

// Bounds of lists on an object: a phone shows ten modules, and nobody reads more lines.
const (
	maxLines  = 5
	maxOffers = 30
)

// Card makes the object of a member's card at a moment. Offers are the serials of
// vouchers' passes that Google holds already, to be linked with it.
func (i Issuer) Card(serial string, f face.Face, b brand.Brand, offers []string, now time.Time) (Object, error) {
	if f.Kind != face.KindMember {
		return Object{}, fmt.Errorf("%w: a %s is not a card", ErrFace, f.Kind)
	}
	o := i.object(serial, i.CardClassID(), f, now)
	if b.Stamps != nil {
		o.HeroImage = i.picture(b, brand.HeroName(b, f))
	}
	lang := reader(f.Locale)
	o.AccountID, o.AccountName = cut(f.Number, "", maxShort), cut(f.Name, "", maxShort)
	if len(f.Balances) > 0 {
		o.LoyaltyPoints = points(lang, f.Balances[0])
	}
	switch {
	case len(f.Balances) > 1:
		o.SecondaryLoyaltyPoints = points(lang, f.Balances[1])
	case f.Tier != nil && f.Tier.Key != "":
		// An object has no field for a tier (its class has one, the same for all): what stands
		// beside the points is the nearest.
		o.SecondaryLoyaltyPoints = &Points{Label: wordTier.in(lang), LocalizedLabel: wordTier.localized(lang)}
		o.SecondaryLoyaltyPoints.Balance.String = cut(face.NameIn(f.Tier.Names, lang), f.Tier.Key, maxShort)
	}
	o.TextModules = cardModules(lang, f)
	for _, id := range offers[:min(len(offers), maxOffers)] {
		o.LinkedOfferIDs = append(o.LinkedOfferIDs, i.ObjectID(id))
	}
	return o, nil
}

// Offer makes the object of a voucher that stands for itself. A voided one may say
// nothing of its voucher any more; then its class is left out, and it can only be patched.
func (i Issuer) Offer(serial string, f face.Face, now time.Time) (Object, error) {
	if f.Kind == face.KindVoucher && f.Voucher == nil && f.Voided {
		return i.object(serial, "", f, now), nil
	}
	if f.Kind != face.KindVoucher || f.Voucher == nil {
		return Object{}, fmt.Errorf("%w: a %s without a voucher is not an offer", ErrFace, f.Kind)
	}
	o := i.object(serial, i.OfferClassID(*f.Voucher), f, now)
	if f.Voucher.Left <= 0 && o.State == StateActive {
		o.State, o.Barcode, o.RotatingBarcode = stateCompleted, nil, nil
	}
	if f.Voucher.Left > 1 {
		left := strconv.FormatInt(f.Voucher.Left, 10)
		o.TextModules = append(o.TextModules, module(reader(f.Locale), "uses", wordUses, func(string) string { return left }))
	}
	o.TextModules = append(o.TextModules, asOf(reader(f.Locale), f)...)
	return o, nil
}

// object is what cards and vouchers have in common.
func (i Issuer) object(serial string, class string, f face.Face, now time.Time) Object {
	o := Object{
		ID: i.ObjectID(serial), ClassID: class, State: StateActive,
		PassConstraints: &PassConstraints{ScreenshotEligibility: noScreenshots}, MerchantLocations: located(f.Stores),
	}
	end := f.Ends()
	if !end.IsZero() {
		o.ValidTimeInterval = &TimeInterval{End: &DateTime{Date: end.Format(time.RFC3339)}}
	}
	switch {
	case f.Voided:
		o.State = StateInactive
		return o // without a code: what a till refuses is not shown
	case !end.IsZero() && !now.Before(end):
		o.State = StateExpired
	}
	if key, found := Current(f.Rotating, now); found {
		o.RotatingBarcode = rotating(f.Code, key, f.Number)
	} else {
		o.Barcode = &Barcode{Type: qrCode, Value: f.Code, AlternateText: f.Number}
	}
	return o
}

// points shows a balance as the one of Google's four forms that fits it.
func points(language string, b face.Balance) *Points {
	w := unitWord(b.Unit)
	p := &Points{Label: cut(w.in(language), b.Unit, maxShort), LocalizedLabel: w.localized(language)}
	scale := int64(1_000_000)
	for range currency.Digits(b.Currency) {
		scale /= 10
	}
	switch {
	case b.Currency != "" && b.Amount <= math.MaxInt64/scale && b.Amount >= math.MinInt64/scale:
		p.Balance.Money = &Money{CurrencyCode: b.Currency, Micros: b.Amount * scale}
	case b.Currency == "" && b.Amount <= math.MaxInt32 && b.Amount >= math.MinInt32:
		n := int32(b.Amount)
		p.Balance.Int = &n
	default:
		p.Balance.String = amount(language, b.Unit, b.Currency, b.Amount)
	}
	return p
}

func cardModules(lang string, f face.Face) []TextModule {
	var out []TextModule
	add := func(id string, header word, lines func(language string) []string) {
		if len(lines(lang)) > 0 {
			out = append(out, module(lang, id, header, func(l string) string { return joined(lines(l)) }))
		}
	}
	add("pending", wordPending, func(l string) []string {
		var lines []string
		for _, b := range f.Balances {
			if b.Pending != 0 {
				lines = append(lines, amount(l, b.Unit, b.Currency, b.Pending))
			}
		}
		return lines
	})
	add("expiring", wordExpiring, func(l string) []string {
		var lines []string
		for _, e := range f.Expiring {
			lines = append(lines, expiringLine(l, e))
		}
		return lines
	})
	add("next", wordNext, func(l string) []string {
		if f.Next == nil {
			return nil
		}
		return []string{fmt.Sprintf(wordHave.in(l), f.Next.Name, f.Next.Have, f.Next.Cost)}
	})
	add("tier", wordTier, func(l string) []string { return tierLines(l, f.Tier) })
	add("vouchers", wordVouchers, func(l string) []string {
		var lines []string
		for _, v := range f.Vouchers {
			lines = append(lines, voucherLine(l, v))
		}
		return lines
	})
	return append(out, asOf(lang, f)...)
}

// asOf is the moment up to which a face knows; a face without one says nothing of it.
func asOf(lang string, f face.Face) []TextModule {
	if f.AsOf.IsZero() {
		return nil
	}
	return []TextModule{module(lang, "as_of", wordAsOf, func(l string) string { return moment(l, f.AsOf) })}
}

func module(lang, id string, header word, body func(language string) string) TextModule {
	say := func(language string) string { return cut(body(language), "", maxBody) }
	return TextModule{
		ID: id, Header: header.in(lang), Body: say(lang),
		LocalizedHeader: header.localized(lang), LocalizedBody: spoken(lang, say),
	}
}

// joined is the first lines, one below the other, and how many more there are.
func joined(lines []string) string {
	if more := len(lines) - maxLines; more > 0 {
		lines = append(lines[:maxLines:maxLines], "+"+strconv.Itoa(more))
	}
	return strings.Join(lines, "\n")
}
