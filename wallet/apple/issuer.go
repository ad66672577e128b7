package apple

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// MinAuthToken is the least length of a pass's authentication token, by Apple's rule.
const MinAuthToken = 16

// Options are what all passes of one issuer have in common.
type Options struct {
	Credentials *Credentials
	// ServiceURL is the https address that phones add /v1/… to. Empty: no updates.
	ServiceURL string
	// CardURL is the https address of the web card, offered as an action. May be empty.
	CardURL string
	// Barcodes are the codes of a member's pass in order of preference; nil is one QR.
	// Where none of them is known to every iOS version, the QR follows as the last.
	Barcodes []Barcode
	// Now gives the signing time.
	Now func() time.Time
}

// Request is one pass to be made.
type Request struct {
	Face   face.Face
	Brand  brand.Brand
	Images []brand.Image // icon.png, and any of logo, strip, artwork, primaryLogo at each scale
	// Serial is the pass's name within its type: 1 to 64 of A-Z a-z 0-9 . _ -
	Serial string
	// AuthToken lets the phone fetch this pass again. Never change it in an update.
	AuthToken string
}

// Issuer makes passes. It may be used by many at once.
type Issuer struct{ o Options }

// New returns an issuer, or an error that says which option does not do.
func New(o Options) (*Issuer, error) {
	if o.Credentials == nil {
		return nil, fmt.Errorf("apple issuer: no credentials")
	}
	if o.Now == nil {
		return nil, fmt.Errorf("apple issuer: no clock")
	}
	for name, address := range map[string]string{"service": o.ServiceURL, "card": o.CardURL} {
		if address != "" && !isHTTPS(address) {
			return nil, fmt.Errorf("apple issuer: the %s address %q is not an https address; phones take no other", name, address)
		}
	}
	o.ServiceURL = strings.TrimRight(o.ServiceURL, "/")
	barcodes, err := withFallback(o.Barcodes)
	if err != nil {
		return nil, err
	}
	o.Barcodes = barcodes
	return &Issuer{o: o}, nil
}

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}

// PassType returns the pass type of every pass made.
func (i *Issuer) PassType() string { return i.o.Credentials.PassType() }

var serialForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func (i *Issuer) check(r Request) error {
	if !serialForm.MatchString(r.Serial) {
		return fmt.Errorf("serial number %q is not 1 to 64 letters, digits, dots, hyphens and underscores", cut(r.Serial, maxShort))
	}
	if i.o.ServiceURL != "" && len(r.AuthToken) < MinAuthToken {
		return fmt.Errorf("authentication token has %d characters, at least %d are needed", len(r.AuthToken), MinAuthToken)
	}
	if r.Face.Kind == face.KindVoucher && r.Face.Voucher == nil {
		return fmt.Errorf("a voucher's pass has no voucher")
	}
	if r.Face.Kind != face.KindVoucher && r.Face.Kind != face.KindMember {
		return fmt.Errorf("kind of pass %q is not known", r.Face.Kind)
	}
	if r.Face.Code == "" && !r.Face.Voided {
		return fmt.Errorf("a pass has no code")
	}
	if r.Face.Code != "" && !carries(QR, r.Face.Code) {
		return fmt.Errorf("the code has characters beside printable ASCII, which scanners read in many ways")
	}
	return checkImages(r.Images)
}

// Pass returns one signed .pkpass.
func (i *Issuer) Pass(r Request) ([]byte, error) {
	if err := i.check(r); err != nil {
		return nil, fmt.Errorf("make pass: %w", err)
	}
	files, err := i.files(r)
	if err != nil {
		return nil, fmt.Errorf("make pass %s: %w", r.Serial, err)
	}
	manifest := newEntry("manifest.json", manifestOf(files))
	signature, err := i.o.Credentials.cms.sign(manifest.data, i.o.Now())
	if err != nil {
		return nil, fmt.Errorf("make pass %s: %w", r.Serial, err)
	}
	data, err := archive(append(files, manifest, newEntry("signature", signature)))
	if err != nil {
		return nil, fmt.Errorf("make pass %s: %w", r.Serial, err)
	}
	return data, nil
}

// files returns all that the manifest covers.
func (i *Issuer) files(r Request) ([]entry, error) {
	d, said, err := i.document(r)
	if err != nil {
		return nil, err
	}
	files := make([]entry, 0, len(r.Images)+len(brand.Languages)+3)
	files = append(files, newEntry("pass.json", d))
	for _, language := range brand.Languages {
		files = append(files, newEntry(language+".lproj/pass.strings", said.strings(language)))
	}
	for _, image := range r.Images {
		files = append(files, entry{name: image.Name, data: image.PNG, sha1: image.SHA1, crc32: image.CRC32})
	}
	return files, nil
}
