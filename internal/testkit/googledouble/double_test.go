package googledouble_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/googledouble"
)

// The checker finds what is not as the document has it.
func TestCheckerIsStrict(t *testing.T) {
	d, err := googledouble.LoadDiscovery(t.Context())
	if errors.Is(err, googledouble.ErrNoDiscovery) {
		t.Skip("SKIPPED ALOUD:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if found := d.Check("LoyaltyObject", []byte(`{"id":"1.x","state":"ACTIVE","loyaltyPoints":{"balance":{"int":5}},"linkedOfferIds":["1.y"],"rotatingBarcode":null}`)); len(found) != 0 {
		t.Errorf("a good body: %v", found)
	}
	for body, want := range map[string]string{
		`{"identity":"x"}`:   "has no field identity",
		`{"id":5}`:           "is a number and should be string",
		`{"id":{}}`:          "is an object and should be string",
		`{"id":["x"]}`:       "is an array and should be string",
		`{"state":"ASLEEP"}`: "is none of",
		`{"state":"active"}`: "is deprecated",
		`{"hasUsers":"yes"}`: "is a string and should be boolean",
		`{"loyaltyPoints":{"balance":{"int":1.5}}}`:                      "is not an int32",
		`{"loyaltyPoints":{"balance":{"int":2147483648}}}`:               "is not an int32",
		`{"loyaltyPoints":{"balance":{"money":{"micros":"1.5"}}}}`:       "is not an int64",
		`{"loyaltyPoints":{"balance":{"money":{"micros":1}}}}`:           "is a number and should be string (int64)",
		`{"loyaltyPoints":{"value":1}}`:                                  "has no field value",
		`{"linkedOfferIds":[1]}`:                                         "is a number and should be string",
		`{"linkedOfferIds":"1.y"}`:                                       "is a string and should be array",
		`{"id":"1.x","id":"1.y"}`:                                        "given twice",
		`{"id":"1.x"} {}`:                                                "something follows",
		`{"id":`:                                                         "not JSON",
		`{"rotatingBarcode":{"totpDetails":{"parameters":[{"k":"0"}]}}}`: "has no field k",
	} {
		if found := d.Check("LoyaltyObject", []byte(body)); !strings.Contains(strings.Join(found, "\n"), want) {
			t.Errorf("%s: found %v, want %q", body, found, want)
		}
	}
}
