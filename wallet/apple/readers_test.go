package apple_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/wallet/apple"
)

// report is what testdata/readers/read.mjs says of one pass.
type report struct {
	PassJS struct {
		Fault   string
		Style   string
		Pass    map[string]any
		Images  []string
		Strings map[string]map[string]string
	}
	Passkit struct {
		Fault    string
		Faults   []string
		Types    []string
		Barcodes []map[string]string
		Files    []string
	}
}

// read asks the two readers about passes. They are installed by make (testdata/readers).
func read(t *testing.T, passes map[string][]byte) map[string]report {
	t.Helper()
	node := nodeOfReaders(t)
	dir := t.TempDir()
	args := []string{filepath.Join("testdata", "readers", "read.mjs")}
	names := map[string]string{}
	for n, name := range slices.Sorted(maps.Keys(passes)) {
		file := filepath.Join(dir, string(rune('a'+n))+".pkpass")
		if err := os.WriteFile(file, passes[name], 0o600); err != nil {
			t.Fatal(err)
		}
		names[file], args = name, append(args, file)
	}
	c := exec.Command(node, args...)
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	var byFile map[string]report
	if err := json.Unmarshal(out, &byFile); err != nil {
		t.Fatal(err)
	}
	reports := map[string]report{}
	for file, r := range byFile {
		reports[names[file]] = r
	}
	return reports
}

// nodeOfReaders returns the Node.js that came with the readers: pass-js needs 24.
func nodeOfReaders(t testing.TB) string {
	t.Helper()
	modules := filepath.Join("testdata", "readers", "node_modules")
	if _, err := os.Stat(filepath.Join(modules, ".installed")); err != nil {
		t.Skip("SKIPPED ALOUD: the npm readers of passes are not installed (make pass-readers; needs Node.js)")
	}
	found, err := filepath.Glob(filepath.Join(modules, "node-*", "bin", "node"))
	if err != nil || len(found) == 0 {
		t.Skip("SKIPPED ALOUD: no Node.js 24 for this machine among the npm readers of passes")
	}
	return found[0]
}

// TestOthersRead hands every kind of pass to two libraries of other makes: they read its
// archive, the sizes of its pictures, its strings files, and its pass.json against their
// schemas. They are started once, since that takes most of the time.
func TestOthersRead(t *testing.T) {
	all := kinds(t)
	i := issuer(t, func(o *apple.Options) {
		o.Barcodes = []apple.Barcode{apple.QR, apple.PDF417, apple.Code128, apple.Aztec}
	})
	passes := map[string][]byte{}
	for name, r := range all {
		passes[name] = pass(t, i, r)
	}
	const newCodes = "codes of iOS 27"
	passes[newCodes] = pass(t, issuer(t, func(o *apple.Options) { o.Barcodes = []apple.Barcode{apple.ITF, apple.Code39} }), all["member"])
	reports := read(t, passes)
	for name, r := range all {
		t.Run(name, func(t *testing.T) { checkRead(t, r, reports[name]) })
	}
	t.Run(newCodes, func(t *testing.T) { checkNewCodes(t, reports[newCodes]) })
	t.Run("what was written", func(t *testing.T) { checkWritten(t, reports["member"]) })
}

func pass(t testing.TB, i *apple.Issuer, r apple.Request) []byte {
	t.Helper()
	data, err := i.Pass(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkRead checks what both say of a pass made from that request.
func checkRead(t *testing.T, r apple.Request, got report) {
	t.Helper()
	if got.PassJS.Fault != "" || got.Passkit.Fault != "" {
		t.Fatalf("pass-js: %s\npasskit-generator: %s", got.PassJS.Fault, got.Passkit.Fault)
	}
	if len(got.Passkit.Faults) > 0 {
		t.Errorf("passkit-generator finds %q", got.Passkit.Faults)
	}
	style := map[bool]string{true: "coupon", false: "storeCard"}[r.Face.Voucher != nil]
	if got.PassJS.Style != style || !slices.Contains(got.Passkit.Types, style) {
		t.Errorf("styles are %q and %q, want %q", got.PassJS.Style, got.Passkit.Types, style)
	}
	if poster := slices.Contains(got.Passkit.Types, "posterGeneric"); poster != (style == "storeCard") {
		t.Errorf("types are %q", got.Passkit.Types)
	}
	for _, image := range r.Images {
		if !slices.Contains(got.Passkit.Files, image.Name) {
			t.Errorf("%s is missing", image.Name)
		}
		// pass-js knows no pictures of the poster.
		if known := !strings.HasPrefix(image.Name, "artwork") && !strings.HasPrefix(image.Name, "primaryLogo"); known && !slices.Contains(got.PassJS.Images, image.Name) {
			t.Errorf("pass-js does not see %s", image.Name)
		}
	}
	if languages := slices.Sorted(maps.Keys(got.PassJS.Strings)); !slices.Equal(languages, []string{"en", "pl", "tr"}) {
		t.Errorf("languages are %q", languages)
	}
}

// checkNewCodes checks a pass with codes that passkit-generator alone knows.
func checkNewCodes(t *testing.T, got report) {
	t.Helper()
	if got.Passkit.Fault != "" || len(got.Passkit.Faults) > 0 {
		t.Fatalf("%s %q", got.Passkit.Fault, got.Passkit.Faults)
	}
	var formats []string
	for _, b := range got.Passkit.Barcodes {
		formats = append(formats, b["format"])
	}
	if want := []string{"PKBarcodeFormatI2of5", "PKBarcodeFormatCode39", "PKBarcodeFormatQR"}; !slices.Equal(formats, want) {
		t.Errorf("codes are %q, want %q", formats, want)
	}
}

// checkWritten checks that they find in a member's pass what was put in.
func checkWritten(t *testing.T, got report) {
	t.Helper()
	for key, want := range map[string]any{
		"serialNumber": "018f-pass.1_A", "passTypeIdentifier": passType, "teamIdentifier": team, "organizationName": "Corner GmbH",
		"webServiceURL": "https://hq.example/wallet/apple", "authenticationToken": "0123456789abcdef", "sharingProhibited": true,
		"expirationDate": "2027-06-30T23:59:59Z",
	} {
		if got.PassJS.Pass[key] != want {
			t.Errorf("%s is %v, want %v", key, got.PassJS.Pass[key], want)
		}
	}
	for language, want := range map[string]string{"en": "Next reward", "tr": "Sonraki ödül", "pl": "Następna nagroda"} {
		if have := got.PassJS.Strings[language]["Next reward"]; have != want {
			t.Errorf("%s: %q, want %q", language, have, want)
		}
	}
	terms := look().Texts["en"].Terms
	if have := got.PassJS.Strings["pl"][terms]; have != look().Texts["pl"].Terms {
		t.Errorf("Polish terms are %q of %q", have, got.PassJS.Strings["pl"])
	}
	if b := got.Passkit.Barcodes[0]; b["message"] != member().Code || b["altText"] != member().Number || b["messageEncoding"] != "iso-8859-1" {
		t.Errorf("barcode is %v", b)
	}
}
