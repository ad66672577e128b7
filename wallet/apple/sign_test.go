package apple_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/wallet/apple"
)

// verifier puts files of a pass where openssl reads them and asks it.
type verifier struct{ dir string }

func newVerifier(t *testing.T, root []byte) verifier {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("SKIPPED ALOUD: no openssl (apt-get install openssl)")
	}
	v := verifier{dir: t.TempDir()}
	v.write(t, "root.pem", root)
	return v
}

func (v verifier) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// verify returns what "openssl cms" or "openssl smime" thinks of the signature. The time
// is that of the tests, since the certificates are made for it.
func (v verifier) verify(t *testing.T, tool string, manifest, signature []byte) ([]byte, error) {
	t.Helper()
	v.write(t, "manifest.json", manifest)
	v.write(t, "signature", signature)
	c := exec.Command("openssl", tool, "-verify", "-binary", "-inform", "DER", "-in", "signature", "-content", "manifest.json",
		"-CAfile", "root.pem", "-purpose", "any", "-attime", unixNow, "-out", os.DevNull)
	c.Dir = v.dir
	return c.CombinedOutput()
}

// Every kind of pass is signed so that two tools of another make accept it, over a
// manifest that names every other file with its SHA-1.
func TestEveryKindOfPassVerifies(t *testing.T) {
	v := newVerifier(t, authority().RootPEM())
	i := issuer(t, nil)
	for name, r := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			files := unpack(t, pass(t, i, r))
			for _, tool := range []string{"cms", "smime"} {
				if out, err := v.verify(t, tool, files["manifest.json"], files["signature"]); err != nil {
					t.Errorf("openssl %s: %v: %s", tool, err, out)
				}
			}
			var manifest map[string]string
			if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
				t.Fatal(err)
			}
			for file, content := range files {
				if file == "manifest.json" || file == "signature" {
					continue
				}
				if sum := sha1.Sum(content); manifest[file] != hex.EncodeToString(sum[:]) {
					t.Errorf("manifest says %q of %s", manifest[file], file)
				}
				delete(manifest, file)
			}
			if len(manifest) != 0 {
				t.Errorf("manifest names files that are not there: %v", manifest)
			}
		})
	}
}

// One changed byte of the manifest, or another root, and no tool accepts it.
func TestTamperedPassFails(t *testing.T) {
	v := newVerifier(t, authority().RootPEM())
	files := unpack(t, pass(t, issuer(t, nil), request(t, member(), look())))
	manifest, signature := files["manifest.json"], files["signature"]
	tampered := bytes.Replace(manifest, []byte(`"pass.json":"`), []byte(`"pass.json":"0`), 1)
	for _, tool := range []string{"cms", "smime"} {
		if out, err := v.verify(t, tool, tampered, signature); err == nil {
			t.Errorf("openssl %s accepts a changed manifest: %s", tool, out)
		}
	}
	stranger, err := apple.SelfMade(passType, team, now, random)
	if err != nil {
		t.Fatal(err)
	}
	v.write(t, "root.pem", stranger.RootPEM())
	if out, err := v.verify(t, "cms", manifest, signature); err == nil {
		t.Errorf("openssl accepts the signature under another root: %s", out)
	}
}

// Wallet refuses a signature without signing time; it is the issuer's clock, to the second.
func TestSignatureCarriesItsTime(t *testing.T) {
	v := newVerifier(t, authority().RootPEM())
	files := unpack(t, pass(t, issuer(t, nil), request(t, voucher(), look())))
	v.write(t, "signature", files["signature"])
	c := exec.Command("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", "signature")
	c.Dir = v.dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"UTCTIME:Nov 22 11:15:30 2026 GMT", "signingTime", "messageDigest", "contentType", "sha256", "rsaEncryption", "pass.example.tally", "eContent: <ABSENT>"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the signature has no %q:\n%s", want, out)
		}
	}
}

// The same request gives the same manifest, and at the same time the same bytes.
func TestSameRequestSameBytes(t *testing.T) {
	i := issuer(t, nil)
	if !bytes.Equal(pass(t, i, request(t, member(), look())), pass(t, i, request(t, member(), look()))) {
		t.Error("two passes of one request differ")
	}
}

// One issuer serves many at once, each with the pass asked for.
func TestManyAtOnce(t *testing.T) {
	i, base := issuer(t, nil), request(t, member(), look())
	passes := make([][]byte, 8)
	var all sync.WaitGroup
	for n := range passes {
		all.Go(func() {
			r := base
			r.Serial = strconv.Itoa(n)
			passes[n], _ = i.Pass(r) // no pass is not a zip
		})
	}
	all.Wait()
	for n, data := range passes {
		if want := `"serialNumber":"` + strconv.Itoa(n) + `"`; !bytes.Contains(unpack(t, data)["pass.json"], []byte(want)) {
			t.Errorf("pass %d has not %s", n, want)
		}
	}
}

// A P-256 key signs as well, should Apple ever give one out.
func TestP256SignatureVerifies(t *testing.T) {
	f := forge(t, spoil{})
	c, err := apple.Read(f.source(t), now)
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, pass(t, issuer(t, func(o *apple.Options) { o.Credentials = c }), request(t, member(), look())))
	v := newVerifier(t, certPEM(f.root))
	for _, tool := range []string{"cms", "smime"} {
		if out, err := v.verify(t, tool, files["manifest.json"], files["signature"]); err != nil {
			t.Errorf("openssl %s: %v: %s", tool, err, out)
		}
	}
}

func BenchmarkPass(b *testing.B) {
	i, r := issuer(b, nil), request(b, member(), look())
	for b.Loop() {
		pass(b, i, r)
	}
}
