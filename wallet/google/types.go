package google

// The types below are the parts of Google's loyaltyClass, loyaltyObject, offerClass and
// offerObject that we fill, with the names of the discovery document
// (walletobjects:v1). What stays empty is not sent.

// Class is what classes of cards and of vouchers both say.
type Class struct {
	ID                    string             `json:"id"`
	IssuerName            string             `json:"issuerName"`
	ReviewStatus          string             `json:"reviewStatus"`
	CountryCode           string             `json:"countryCode,omitempty"`
	HexBackgroundColor    string             `json:"hexBackgroundColor,omitempty"`
	HomepageURI           *URI               `json:"homepageUri,omitempty"`
	Holders               string             `json:"multipleDevicesAndHoldersAllowedStatus"`
	ViewUnlockRequirement string             `json:"viewUnlockRequirement"`
	SecurityAnimation     *SecurityAnimation `json:"securityAnimation,omitempty"`
	CallbackOptions       *CallbackOptions   `json:"callbackOptions,omitempty"`
}

// LoyaltyClass is what all cards of a programme have in common.
type LoyaltyClass struct {
	Class
	ProgramName          string           `json:"programName"`
	ProgramLogo          *Image           `json:"programLogo"`
	HeroImage            *Image           `json:"heroImage,omitempty"`
	AccountIDLabel       string           `json:"accountIdLabel,omitempty"`
	LocalizedAccountID   *LocalizedString `json:"localizedAccountIdLabel,omitempty"`
	AccountNameLabel     string           `json:"accountNameLabel,omitempty"`
	LocalizedAccountName *LocalizedString `json:"localizedAccountNameLabel,omitempty"`
	TextModules          []TextModule     `json:"textModulesData,omitempty"`
}

// OfferClass is what all vouchers of one reward have in common.
type OfferClass struct {
	Class
	Provider           string           `json:"provider"`
	Title              string           `json:"title"`
	TitleImage         *Image           `json:"titleImage,omitempty"`
	FinePrint          string           `json:"finePrint,omitempty"`
	LocalizedFinePrint *LocalizedString `json:"localizedFinePrint,omitempty"`
	RedemptionChannel  string           `json:"redemptionChannel"`
}

// Object is a loyaltyObject or an offerObject; the points and linked offers are only a
// card's.
type Object struct {
	ID                     string             `json:"id"`
	ClassID                string             `json:"classId,omitempty"`
	State                  string             `json:"state"`
	AccountID              string             `json:"accountId,omitempty"`
	AccountName            string             `json:"accountName,omitempty"`
	LoyaltyPoints          *Points            `json:"loyaltyPoints,omitempty"`
	SecondaryLoyaltyPoints *Points            `json:"secondaryLoyaltyPoints,omitempty"`
	Barcode                *Barcode           `json:"barcode,omitempty"`
	RotatingBarcode        *RotatingBarcode   `json:"rotatingBarcode,omitempty"`
	PassConstraints        *PassConstraints   `json:"passConstraints,omitempty"`
	HeroImage              *Image             `json:"heroImage,omitempty"`
	MerchantLocations      []MerchantLocation `json:"merchantLocations,omitempty"`
	ValidTimeInterval      *TimeInterval      `json:"validTimeInterval,omitempty"`
	TextModules            []TextModule       `json:"textModulesData,omitempty"`
	LinkedOfferIDs         []string           `json:"linkedOfferIds,omitempty"`
}

// Values of enumerations, as the discovery document has them.
const (
	StateActive   = "ACTIVE"
	StateExpired  = "EXPIRED"
	StateInactive = "INACTIVE"

	stateCompleted   = "COMPLETED" // of a voucher whose uses are used
	reviewUnder      = "UNDER_REVIEW"
	oneUser          = "ONE_USER_ALL_DEVICES"
	unlockToView     = "UNLOCK_REQUIRED_TO_VIEW"
	foilShimmer      = "FOIL_SHIMMER"
	noScreenshots    = "INELIGIBLE"
	qrCode           = "QR_CODE"
	totpSHA1         = "TOTP_SHA1"
	inStore          = "INSTORE"
	notifyOnUpdate   = "NOTIFY_ON_UPDATE"
	messageText      = "TEXT"
	messageAndNotify = "TEXT_AND_NOTIFY"
)

// Image is a picture that Google fetches from an address.
type Image struct {
	SourceURI          ImageURI         `json:"sourceUri"`
	ContentDescription *LocalizedString `json:"contentDescription,omitempty"`
}

// ImageURI is where a picture lies.
type ImageURI struct {
	URI string `json:"uri"`
}

// URI is an address with what it is called.
type URI struct {
	URI         string `json:"uri"`
	Description string `json:"description,omitempty"`
	ID          string `json:"id,omitempty"`
}

// LocalizedString is a text in several languages.
type LocalizedString struct {
	DefaultValue     TranslatedString   `json:"defaultValue"`
	TranslatedValues []TranslatedString `json:"translatedValues,omitempty"`
}

// TranslatedString is a text in one language (BCP 47).
type TranslatedString struct {
	Language string `json:"language"`
	Value    string `json:"value"`
}

// TextModule is a heading and a text below the code.
type TextModule struct {
	ID              string           `json:"id"`
	Header          string           `json:"header"`
	Body            string           `json:"body"`
	LocalizedHeader *LocalizedString `json:"localizedHeader,omitempty"`
	LocalizedBody   *LocalizedString `json:"localizedBody,omitempty"`
}

// Points is one balance with its label.
type Points struct {
	Label          string           `json:"label"`
	LocalizedLabel *LocalizedString `json:"localizedLabel,omitempty"`
	Balance        PointsBalance    `json:"balance"`
}

// PointsBalance has exactly one of its fields.
type PointsBalance struct {
	Int    *int32 `json:"int,omitempty"`
	String string `json:"string,omitempty"`
	Money  *Money `json:"money,omitempty"`
}

// Money is an amount in millionths of a currency's unit.
type Money struct {
	CurrencyCode string `json:"currencyCode"`
	Micros       int64  `json:"micros,string"`
}

// Barcode is a code that stays as it is.
type Barcode struct {
	Type          string `json:"type"`
	Value         string `json:"value"`
	AlternateText string `json:"alternateText,omitempty"`
}

// RotatingBarcode is a code that the phone computes anew each period.
type RotatingBarcode struct {
	Type          string      `json:"type"`
	ValuePattern  string      `json:"valuePattern"`
	TOTP          TOTPDetails `json:"totpDetails"`
	AlternateText string      `json:"alternateText,omitempty"`
}

// TOTPDetails say how the phone computes the values in a pattern (RFC 6238).
type TOTPDetails struct {
	Algorithm    string          `json:"algorithm"`
	PeriodMillis int64           `json:"periodMillis,string"`
	Parameters   []TOTPParameter `json:"parameters"`
}

// TOTPParameter is the key of one value, in Base16, and its length in digits.
type TOTPParameter struct {
	Key         string `json:"key"`
	ValueLength int32  `json:"valueLength"`
}

// PassConstraints say what may not be done with a pass.
type PassConstraints struct {
	ScreenshotEligibility string `json:"screenshotEligibility"`
}

// SecurityAnimation moves on a live pass and stands still on a picture of one.
type SecurityAnimation struct {
	AnimationType string `json:"animationType"`
}

// CallbackOptions say where Google tells of saves and deletions.
type CallbackOptions struct {
	URL string `json:"url"`
}

// MerchantLocation is where a phone offers the pass by itself.
type MerchantLocation struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// TimeInterval is when an object can be used.
type TimeInterval struct {
	End *DateTime `json:"end,omitempty"`
}

// DateTime is a moment as RFC 3339 writes it.
type DateTime struct {
	Date string `json:"date"`
}

// Message is a text that a shopper finds on the pass, and is told of.
type Message struct {
	ID              string           `json:"id"`
	Header          string           `json:"header"`
	Body            string           `json:"body"`
	LocalizedHeader *LocalizedString `json:"localizedHeader,omitempty"`
	LocalizedBody   *LocalizedString `json:"localizedBody,omitempty"`
	MessageType     string           `json:"messageType"`
}
