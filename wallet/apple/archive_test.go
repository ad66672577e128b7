package apple_test

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/wallet/apple"
)

// Files stand at the root, stored, without data descriptors or extra fields, and other
// tools find nothing wrong.
func TestArchiveLayout(t *testing.T) {
	data := pass(t, issuer(t, nil), request(t, member(), look()))
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		inLanguage := strings.HasSuffix(f.Name, ".lproj/pass.strings")
		if f.Method != zip.Store || f.Flags != 0 || len(f.Extra) != 0 || !inLanguage && strings.Contains(f.Name, "/") || strings.HasSuffix(f.Name, "/") {
			t.Errorf("%s: method %d, flags %x, extra %d", f.Name, f.Method, f.Flags, len(f.Extra))
		}
	}
	if z.File[len(z.File)-1].Name != "signature" || z.File[0].Name != "pass.json" {
		t.Errorf("first is %s, last %s", z.File[0].Name, z.File[len(z.File)-1].Name)
	}
	if _, err := exec.LookPath("unzip"); err != nil {
		return // one more opinion where there is the tool
	}
	file := filepath.Join(t.TempDir(), "a.pkpass")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("unzip", "-t", file).CombinedOutput(); err != nil {
		t.Errorf("unzip: %v: %s", err, out)
	}
}

// The pictures' digests come with them; a wrong one would make a pass that no phone takes.
func TestPicturesBringTheirDigests(t *testing.T) {
	for _, image := range request(t, member(), look()).Images {
		if crc32.ChecksumIEEE(image.PNG) != image.CRC32 {
			t.Errorf("%s: CRC is not that of its bytes", image.Name)
		}
	}
}

func TestBundle(t *testing.T) {
	one, two := pass(t, issuer(t, nil), request(t, member(), look())), pass(t, issuer(t, nil), request(t, voucher(), look()))
	bundle, err := apple.Bundle(one, two)
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, bundle)
	if len(files) != 2 || !bytes.Equal(files["01.pkpass"], one) || !bytes.Equal(files["02.pkpass"], two) {
		t.Errorf("the bundle holds %d files", len(files))
	}
	half := make([]byte, apple.MaxBundleBytes/2)
	for name, passes := range map[string][][]byte{"none": nil, "eleven": make([][]byte, 11), "over 150 MB": {half, half}} {
		if _, err := apple.Bundle(passes...); err == nil {
			t.Errorf("%s: bundled", name)
		}
	}
}
