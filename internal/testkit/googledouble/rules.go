package googledouble

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

var (
	suffix = regexp.MustCompile(`^[0-9]+\.[A-Za-z0-9._-]+$`)
	colour = regexp.MustCompile(`^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)
)

// read takes a body apart and checks it by the document.
func (d *Double) read(resource string, body json.RawMessage) (fields map[string]json.RawMessage, why string) {
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return nil, "the body is not an object"
	}
	if d.o.Discovery != nil {
		if found := d.o.Discovery.Check(resources[resource], body); len(found) > 0 {
			return nil, strings.Join(found, "; ")
		}
	}
	return fields, ""
}

// needed are the fields that the document's descriptions call required.
var needed = map[string][]string{
	"loyaltyClass":  {"id", "issuerName", "programName", "programLogo", "reviewStatus"},
	"offerClass":    {"id", "issuerName", "provider", "title", "redemptionChannel", "reviewStatus"},
	"loyaltyObject": {"id", "classId", "state"},
	"offerObject":   {"id", "classId", "state"},
}

// wrong says what the document only tells in words about a whole class or object.
func (d *Double) wrong(resource string, fields map[string]json.RawMessage) string {
	for _, name := range needed[resource] {
		if raw := fields[name]; raw == nil || string(raw) == "null" || string(raw) == `""` {
			return name + " is required"
		}
	}
	if !suffix.MatchString(text(fields["id"])) {
		return "id is not issuer.suffix of letters, digits, '.', '_' and '-'"
	}
	for _, check := range []func(string, map[string]json.RawMessage) string{d.lists, d.addresses, d.ofClass, d.ofObject, codes} {
		if why := check(resource, fields); why != "" {
			return why
		}
	}
	return ""
}

// lists checks the bounds of lists.
func (d *Double) lists(_ string, fields map[string]json.RawMessage) string {
	for name, most := range map[string]int{"merchantLocations": 10, "messages": 10, "textModulesData": 10} {
		var list []struct {
			ID string `json:"id"`
		}
		if raw := fields[name]; raw != nil && (json.Unmarshal(raw, &list) != nil || len(list) > most) {
			return fmt.Sprintf("%s has more than %d", name, most)
		}
		seen := map[string]bool{}
		for _, e := range list {
			if name == "textModulesData" && (strings.Contains(e.ID, ".") || seen[e.ID]) {
				return "textModulesData has an id twice or with a dot"
			}
			seen[e.ID] = true
		}
	}
	return ""
}

func (d *Double) addresses(_ string, fields map[string]json.RawMessage) string {
	for _, name := range []string{"programLogo", "heroImage", "titleImage"} {
		var image struct {
			Source struct {
				URI string `json:"uri"`
			} `json:"sourceUri"`
		}
		if raw := fields[name]; raw != nil && (json.Unmarshal(raw, &image) != nil || !strings.HasPrefix(image.Source.URI, "https://")) {
			return name + " is not at an https address"
		}
	}
	var callback struct {
		URL string `json:"url"`
	}
	if raw := fields["callbackOptions"]; raw != nil && (json.Unmarshal(raw, &callback) != nil || !strings.HasPrefix(callback.URL, "https://")) {
		return "callbackOptions.url is not https"
	}
	if raw := fields["hexBackgroundColor"]; raw != nil && !colour.MatchString(text(raw)) {
		return "hexBackgroundColor is not #rrggbb"
	}
	return ""
}

func (d *Double) ofClass(resource string, fields map[string]json.RawMessage) string {
	if !strings.HasSuffix(resource, "Class") {
		return ""
	}
	switch text(fields["reviewStatus"]) {
	case "UNDER_REVIEW", "DRAFT":
	default:
		return "reviewStatus can be set to UNDER_REVIEW or DRAFT only"
	}
	if text(fields["multipleDevicesAndHoldersAllowedStatus"]) == "ONE_USER_ONE_DEVICE" {
		return "ONE_USER_ONE_DEVICE is for select partners"
	}
	return ""
}

func (d *Double) ofObject(resource string, fields map[string]json.RawMessage) string {
	kind, isObject := strings.CutSuffix(resource, "Object")
	if !isObject {
		return ""
	}
	if d.stored[kind+"Class/"+text(fields["classId"])] == nil {
		return "there is no such class " + text(fields["classId"])
	}
	var offers []string
	if raw := fields["linkedOfferIds"]; raw != nil && json.Unmarshal(raw, &offers) != nil {
		return "linkedOfferIds is not a list of names"
	}
	for _, id := range offers {
		if d.stored["offerObject/"+id] == nil {
			return "there is no such offer " + id
		}
	}
	var valid struct {
		End struct {
			Date string `json:"date"`
		} `json:"end"`
	}
	if raw := fields["validTimeInterval"]; raw != nil {
		if json.Unmarshal(raw, &valid) != nil {
			return "validTimeInterval is malformed"
		}
		if _, err := time.Parse(time.RFC3339, valid.End.Date); err != nil {
			return "validTimeInterval.end is not a date with an offset"
		}
	}
	for _, name := range []string{"loyaltyPoints", "secondaryLoyaltyPoints"} {
		var points struct {
			Balance map[string]json.RawMessage `json:"balance"`
		}
		if raw := fields[name]; raw != nil && (json.Unmarshal(raw, &points) != nil || len(points.Balance) != 1) {
			return name + ".balance must have exactly one form"
		}
	}
	return ""
}

// codes checks a barcode and a rotating one.
func codes(_ string, fields map[string]json.RawMessage) string {
	var fixed struct {
		Type, Value string
	}
	if raw := fields["barcode"]; raw != nil && (json.Unmarshal(raw, &fixed) != nil || fixed.Value == "" || fixed.Type == "") {
		return "barcode needs a type and a value"
	}
	raw := fields["rotatingBarcode"]
	if raw == nil {
		return ""
	}
	r, err := readRotating(raw)
	switch {
	case err != nil:
		return err.Error()
	case r.Type != "QR_CODE" && r.Type != "PDF_417":
		return "rotatingBarcode.type must be QR_CODE or PDF_417"
	case r.TOTP.Algorithm != "TOTP_SHA1":
		return "totpDetails.algorithm must be TOTP_SHA1"
	case r.TOTP.Period <= 0:
		return "totpDetails.periodMillis must be positive"
	}
	for i, p := range r.TOTP.Parameters {
		if key, err := hex.DecodeString(p.Key); err != nil || len(key) == 0 || p.Length < 1 || p.Length > 9 {
			return "totpDetails.parameters need a key in Base16 and a length"
		}
		if !strings.Contains(r.Pattern, fmt.Sprintf("{totp_value_%d}", i)) {
			return "valuePattern does not use every value"
		}
	}
	return ""
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
