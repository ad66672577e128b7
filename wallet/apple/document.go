package apple

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// maxLocations is how many places a pass may name, by Apple's rule.
const maxLocations = 10

// document is pass.json. Its shape: Apple, Wallet Passes, Pass; and for what iOS 27 added,
// Creating a poster generic pass.
type document struct {
	FormatVersion       int        `json:"formatVersion"`
	PassType            string     `json:"passTypeIdentifier"`
	Serial              string     `json:"serialNumber"`
	Team                string     `json:"teamIdentifier"`
	Organization        string     `json:"organizationName"`
	Description         string     `json:"description"`
	LogoText            string     `json:"logoText,omitempty"`
	Foreground          string     `json:"foregroundColor,omitempty"`
	Background          string     `json:"backgroundColor,omitempty"`
	Label               string     `json:"labelColor,omitempty"`
	WebServiceURL       string     `json:"webServiceURL,omitempty"`
	AuthenticationToken string     `json:"authenticationToken,omitempty"`
	Barcodes            []barcode  `json:"barcodes,omitempty"`
	Locations           []location `json:"locations,omitempty"`
	RelevantDates       []interval `json:"relevantDates,omitempty"`
	ExpirationDate      string     `json:"expirationDate,omitempty"`
	Voided              bool       `json:"voided,omitempty"`
	SharingProhibited   bool       `json:"sharingProhibited"`
	FeaturedActions     []action   `json:"featuredActions,omitempty"`
	StoreCard           *structure `json:"storeCard,omitempty"`
	Coupon              *structure `json:"coupon,omitempty"`
	PosterGeneric       *structure `json:"posterGeneric,omitempty"`
}

type structure struct {
	Header    []field `json:"headerFields,omitempty"`
	Primary   []field `json:"primaryFields,omitempty"`
	Secondary []field `json:"secondaryFields,omitempty"`
	Auxiliary []field `json:"auxiliaryFields,omitempty"`
	Footer    []field `json:"footerFields,omitempty"`
	Back      []field `json:"backFields,omitempty"`
}

// field is one label with its value: text, a number, or a moment.
type field struct {
	Key             string `json:"key"`
	Label           string `json:"label,omitempty"`
	Value           any    `json:"value"`
	ChangeMessage   string `json:"changeMessage,omitempty"`
	AttributedValue string `json:"attributedValue,omitempty"`
	CurrencyCode    string `json:"currencyCode,omitempty"`
	NumberStyle     string `json:"numberStyle,omitempty"`
	DateStyle       string `json:"dateStyle,omitempty"`
	TimeStyle       string `json:"timeStyle,omitempty"`
	IgnoresTimeZone bool   `json:"ignoresTimeZone,omitempty"`
}

type location struct {
	Latitude     float64 `json:"latitude"`
	Longitude    float64 `json:"longitude"`
	RelevantText string  `json:"relevantText,omitempty"`
}

type interval struct {
	Start string `json:"startDate"`
	End   string `json:"endDate"`
}

type action struct {
	Identifier string `json:"identifier"`
	Type       string `json:"type"`
	URL        string `json:"url"`
}

// document returns pass.json, and the phrases that its strings files must have.
func (i *Issuer) document(r Request) ([]byte, *said, error) {
	var s said
	d := document{
		FormatVersion: 1, PassType: i.o.Credentials.passType, Serial: r.Serial, Team: i.o.Credentials.team,
		Organization: cmp.Or(oneLine(r.Brand.Company, maxShort), oneLine(r.Brand.Programme, maxShort), "Tallystick"),
		Description:  s.say(description(r)),
		Foreground:   colour(r.Brand.Foreground), Background: colour(r.Brand.Background), Label: colour(r.Brand.Label),
		Barcodes: barcodesOf(i.o.Barcodes, r.Face), Locations: locations(r.Face.Stores),
		RelevantDates: relevance(r.Face), Voided: r.Face.Voided, SharingProhibited: true,
		FeaturedActions: i.actions(r.Brand),
	}
	if i.o.ServiceURL != "" {
		d.WebServiceURL, d.AuthenticationToken = i.o.ServiceURL, r.AuthToken
	}
	if !has(r.Images, "logo") {
		d.LogoText = oneLine(r.Brand.Programme, maxShort)
	}
	if ends := r.Face.Ends(); !ends.IsZero() {
		d.ExpirationDate = moment(ends)
	}
	l := layout{r: r, s: &s}
	if r.Face.Kind == face.KindVoucher {
		d.Coupon = l.coupon()
	} else {
		d.StoreCard = l.storeCard()
		if has(r.Images, "artwork") {
			d.PosterGeneric = l.poster()
		}
	}
	data, err := encode(d)
	return data, &s, err
}

// description is read out by screen readers, and no pass goes without.
func description(r Request) phrase {
	p := texts(r.Brand, maxLine, func(t brand.Texts) string { return t.Description }, r.Brand.Programme)
	if p.en == "" {
		return wordCard
	}
	return p
}

// encode writes JSON without turning <, > and & into escapes, which Wallet would show.
func encode(d document) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return nil, fmt.Errorf("encode pass.json: %w", err)
	}
	return out.Bytes(), nil
}

// moment writes a time as Wallet reads it (W3C date and time): whole seconds, with a zone.
func moment(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// colour writes #rrggbb as Wallet has it, and nothing for anything else.
func colour(hex string) string {
	c, err := brand.ParseColour(hex)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("rgb(%d, %d, %d)", c.R, c.G, c.B)
}

// locations are the first ten places that exist on earth.
func locations(places []face.Place) []location {
	var out []location
	for _, p := range places {
		if len(out) == maxLocations {
			break
		}
		if p.Latitude >= -90 && p.Latitude <= 90 && p.Longitude >= -180 && p.Longitude <= 180 && (p.Latitude != 0 || p.Longitude != 0) {
			out = append(out, location{p.Latitude, p.Longitude, oneLine(p.Name, maxShort)})
		}
	}
	return out
}

// reminder is how long before something is lost the lock screen offers the pass.
const reminder = 48 * time.Hour

// relevance is when the lock screen offers the pass by itself: before points expire, and
// before a voucher ends.
func relevance(f face.Face) []interval {
	var ends time.Time
	switch {
	case f.Voided:
	case f.Kind == face.KindVoucher:
		ends = f.Voucher.ValidTo
	case len(f.Expiring) > 0:
		ends = f.Expiring[0].At
	}
	if ends.IsZero() {
		return nil
	}
	return []interval{{Start: moment(ends.Add(-reminder)), End: moment(ends)}}
}

// actions are the buttons below a pass, of which iOS 27 takes two.
func (i *Issuer) actions(b brand.Brand) []action {
	var out []action
	if i.o.CardURL != "" {
		out = append(out, action{"card", "viewOffersRewards", i.o.CardURL})
	}
	if isHTTPS(b.Website) {
		out = append(out, action{"website", "membershipBenefits", b.Website})
	}
	return out
}
