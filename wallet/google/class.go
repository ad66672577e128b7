package google

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// Issuer is who issues at Google, and where Google reaches us.
type Issuer struct {
	// ID is the number that Google's console shows as issuer ID.
	ID string
	// Programme sets our classes apart from those of another HQ under the same issuer.
	Programme uuid.UUID
	// Site is where Google and shoppers reach us, as https://loyalty.example.org, without
	// a slash at its end: pictures are fetched there, and saves and deletions told.
	Site string
	// Save is the beginning of Save links; empty for Google's.
	Save string
	// Country is ISO 3166, for a card's reader abroad; may be empty.
	Country string
}

// maxPlaces is how many places Google takes on a class or an object.
const maxPlaces = 10

var issuerID = regexp.MustCompile(`^[0-9]{1,20}$`)

// ErrIssuer means that an issuer cannot be as given.
var ErrIssuer = errors.New("the Google issuer is not usable")

// Check says what is wrong with the issuer before anything is sent.
func (i Issuer) Check() error {
	switch {
	case !issuerID.MatchString(i.ID):
		return fmt.Errorf("%w: its ID is %q, and Google's are up to 20 digits", ErrIssuer, i.ID)
	case i.Programme == uuid.Nil:
		return fmt.Errorf("%w: it has no programme", ErrIssuer)
	case !strings.HasPrefix(i.Site, "https://"):
		return fmt.Errorf("%w: Google fetches pictures by https only, and the address of this site is %q", ErrIssuer, i.Site)
	}
	return nil
}

// CardClassID names the class of the programme's cards.
func (i Issuer) CardClassID() string { return i.ID + ".card-" + i.Programme.String() }

// OfferClassID names the class of the vouchers of one reward: all that say the same.
func (i Issuer) OfferClassID(v face.Voucher) string {
	sum := sha256.Sum256([]byte(v.Name + "\x00" + strconv.FormatInt(v.Discount, 10) + "\x00" + v.Currency))
	return i.ID + ".offer-" + i.Programme.String() + "-" + hex.EncodeToString(sum[:8])
}

// ObjectID names the object of a pass by its serial.
func (i Issuer) ObjectID(serial string) string { return i.ID + "." + serial }

// serials are what a serial may be: what Google takes, and short.
var serials = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// SerialOf reads the serial out of an object's name; ok is false for another issuer's
// object, or what is none.
func (i Issuer) SerialOf(object string) (serial string, ok bool) {
	serial, ours := strings.CutPrefix(object, i.ID+".")
	return serial, ours && serials.MatchString(serial)
}

// CallbackPath is where Google tells of saves and deletions, below the site.
const CallbackPath = "/wallet/google/callback"

// CardClass makes the class of the programme's cards.
func (i Issuer) CardClass(b brand.Brand) LoyaltyClass {
	c := LoyaltyClass{
		Class: i.class(i.CardClassID(), b), ProgramName: cut(b.Programme, "", maxShort),
		ProgramLogo: i.picture(b, brand.NameLogo), HeroImage: i.picture(b, brand.NameHero),
		AccountIDLabel: wordNumber.in("en"), LocalizedAccountID: wordNumber.localized("en"),
		AccountNameLabel: wordName.in("en"), LocalizedAccountName: wordName.localized("en"),
	}
	if terms := termsOf(b); terms != nil {
		c.TextModules = []TextModule{{
			ID: "terms", Header: wordTerms.in("en"), Body: terms("en"), LocalizedHeader: wordTerms.localized("en"), LocalizedBody: spoken("en", terms),
		}}
	}
	return c
}

// OfferClass makes the class of the vouchers of one reward.
func (i Issuer) OfferClass(b brand.Brand, v face.Voucher) OfferClass {
	c := OfferClass{
		Class: i.class(i.OfferClassID(v), b), Provider: cut(b.Programme, "", maxShort),
		Title: cut(v.Name, b.Programme, maxTitle), TitleImage: i.picture(b, brand.NameLogo), RedemptionChannel: inStore,
	}
	if terms := termsOf(b); terms != nil {
		c.FinePrint, c.LocalizedFinePrint = terms("en"), spoken("en", terms)
	}
	return c
}

// class is what both kinds of class have in common.
func (i Issuer) class(id string, b brand.Brand) Class {
	return Class{
		ID: id, IssuerName: cut(b.Company, b.Programme, maxShort), ReviewStatus: reviewUnder,
		CountryCode: i.Country, HexBackgroundColor: b.Background, HomepageURI: homepage(b),
		Holders: oneUser, ViewUnlockRequirement: unlockToView, SecurityAnimation: &SecurityAnimation{foilShimmer},
		CallbackOptions: &CallbackOptions{URL: i.Site + CallbackPath},
	}
}

// picture is one of a brand's, at an address that changes with the brand.
func (i Issuer) picture(b brand.Brand, name string) *Image {
	describe := func(language string) string {
		return cut(b.TextsIn(language).Description, b.Programme, maxBody)
	}
	return &Image{SourceURI: ImageURI{URI: i.Site + brand.PublicPath(b.Version, name)}, ContentDescription: spoken("en", describe)}
}

func homepage(b brand.Brand) *URI {
	if !strings.HasPrefix(b.Website, "https://") {
		return nil
	}
	return &URI{URI: b.Website, Description: cut(b.Company, b.Programme, maxShort), ID: "homepage"}
}

// termsOf returns nil when the brand has no terms in English, the language that others
// fall back to.
func termsOf(b brand.Brand) func(language string) string {
	if b.Texts["en"].Terms == "" {
		return nil
	}
	return func(language string) string {
		return cut(b.TextsIn(language).Terms, b.Texts["en"].Terms, maxTerms)
	}
}

// located are the places for Google, which refuses a body with more than ten of them
// or with one that is not on earth.
func located(places []face.Place) []MerchantLocation {
	var out []MerchantLocation
	for _, p := range places[:min(len(places), maxPlaces)] {
		if p.Latitude < -90 || p.Latitude > 90 || p.Longitude < -180 || p.Longitude > 180 {
			continue
		}
		out = append(out, MerchantLocation{Latitude: p.Latitude, Longitude: p.Longitude})
	}
	return out
}

// Bounds of texts, in characters. Google recommends less and shows what fits; these
// keep a body small whatever somebody is called.
const (
	maxShort = 60
	maxTitle = 120
	maxBody  = 500
	maxTerms = 4000
)

// cut is text, or instead of an empty one the other, with at most so many characters,
// without control characters but line ends, and valid UTF-8.
func cut(text, instead string, most int) string {
	if text == "" {
		text = instead
	}
	runes := make([]rune, 0, min(len(text), most))
	for _, r := range text {
		if len(runes) == most {
			runes[most-1] = '…'
			break
		}
		if r >= ' ' && r != 0x7f || r == '\n' {
			runes = append(runes, r)
		}
	}
	return string(runes)
}
