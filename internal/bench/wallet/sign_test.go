//go:build linux

package wallet

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/wallet/apple"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// A pass is a signature and little else: what is around it may take this part of the
// processor's time at most.
var signTarget = benchtable.RatioAtLeast(0.85)

// A rate is taken over a spell of processor time. Two that are compared take turns in it,
// since what others do on the machine changes within a second.
const (
	spell = time.Second
	turns = 10
)

// passSign measures passes signed per second of processor time: beside the bare RSA
// signature with the same key, and beside the npm libraries that make the same pass.
func passSign(t *testing.T) []benchtable.Result {
	m := newMaker(t)
	others := newPeers(t, m)
	m.rates(t) // the first passes find cold caches
	var passes, bare []float64
	theirs := map[string][]float64{}
	for n := range rounds {
		b, p := m.rates(t)
		bare, passes = append(bare, b), append(passes, p)
		for name, rate := range others.rates(t) {
			theirs[name] = append(theirs[name], rate)
		}
		t.Logf("round %d: %.0f bare signatures, %.0f passes (%.3f)", n+1, b, p, p/b)
	}
	const unit = "passes/cpu-s"
	out := []benchtable.Result{benchtable.Against("pass_sign", unit, benchtable.Median(passes), benchtable.Median(bare), signTarget)}
	for _, name := range peerNames {
		if rates := theirs[name]; len(rates) > 0 {
			out = append(out, benchtable.Against("pass_sign_beside_"+name, unit, benchtable.Median(passes), benchtable.Median(rates), benchtable.Target{}))
		}
	}
	return out
}

// maker makes one member's pass again and again, with another number and balance each time.
type maker struct {
	issuer *apple.Issuer
	base   apple.Request
	pem    []byte
	key    *rsa.PrivateKey
	made   int
	last   []byte
}

func newMaker(t *testing.T) *maker {
	t.Helper()
	authority, err := apple.SelfMade("pass.example.bench", "ABCDE12345", time.Now(), rand.Reader)
	must(t, err)
	m := &maker{}
	m.pem, err = authority.PEM()
	must(t, err)
	credentials, err := authority.Credentials(time.Now())
	must(t, err)
	m.key = credentials.TLS().PrivateKey.(*rsa.PrivateKey)
	m.issuer, err = apple.New(apple.Options{Credentials: credentials, ServiceURL: "https://hq.example/wallet/apple", Now: time.Now})
	must(t, err)
	b := brand.Default("Corner Café")
	b.Company = "Corner GmbH"
	f := member()
	images, err := brand.NewPainter().Images(b, f)
	must(t, err)
	m.base = apple.Request{Face: f, Brand: b, AuthToken: strings.Repeat("t", 32)}
	for _, image := range images {
		// pass-js knows no pictures of a poster, so nobody gets them.
		if !strings.HasPrefix(image.Name, "artwork") && !strings.HasPrefix(image.Name, "primaryLogo") {
			m.base.Images = append(m.base.Images, image)
		}
	}
	must(t, m.pass())
	return m
}

func member() face.Face {
	now := time.Now().UTC()
	return face.Face{
		Kind: face.KindMember, Name: "Ada Lovelace", Number: "1234 5678 9012 3456", Code: "TS1" + strings.Repeat("A", 138),
		Balances: []face.Balance{{Unit: "points", Amount: 1240}, {Unit: "stamps", Amount: 7}},
		Expiring: []face.Expiring{{Unit: "points", Amount: 200, At: now.AddDate(0, 1, 0)}},
		Vouchers: []face.Voucher{{Name: "Free coffee", Left: 2, ValidTo: now.AddDate(0, 2, 0)}},
		Next:     &face.Next{Name: "Breakfast", Unit: "points", Have: 1240, Cost: 2000},
		AsOf:     now,
	}
}

func (m *maker) pass() error {
	r := m.base
	m.made++
	r.Serial = fmt.Sprintf("bench-%d", m.made)
	r.Face.Balances = []face.Balance{{Unit: "points", Amount: int64(m.made)}, {Unit: "stamps", Amount: 7}}
	var err error
	m.last, err = m.issuer.Pass(r)
	return err
}

// signature is what no maker of passes can be faster than in Go.
func (m *maker) signature() error {
	m.made++
	digest := sha256.Sum256(fmt.Append(nil, m.made))
	_, err := rsa.SignPKCS1v15(nil, m.key, crypto.SHA256, digest[:])
	return err
}

// rates returns bare signatures and passes per second of this process's time, its
// collector's included.
func (m *maker) rates(t *testing.T) (bare, passes float64) {
	t.Helper()
	var made [2]int
	var spent [2]time.Duration
	for range turns {
		for n, f := range []func() error{m.signature, m.pass} {
			start := processorTime(t)
			for end := start; end-start < spell/turns; end = processorTime(t) {
				must(t, f())
				made[n]++
			}
			spent[n] += processorTime(t) - start
		}
	}
	return float64(made[0]) / spent[0].Seconds(), float64(made[1]) / spent[1].Seconds()
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var peerNames = []string{"passkit_generator", "pass_js"}

// peers are the npm libraries, each given one of our passes to make again.
type peers struct {
	node, script, dir string // no node: nobody to compare with
}

func newPeers(t *testing.T, m *maker) *peers {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", "..", "wallet", "apple", "testdata", "readers"))
	must(t, err)
	found, err := filepath.Glob(filepath.Join(root, "node_modules", "node-*", "bin", "node"))
	must(t, err)
	if len(found) == 0 {
		t.Log("SKIPPED ALOUD: no npm libraries to compare with (make pass-readers; needs Node.js)")
		return &peers{}
	}
	p := &peers{node: found[0], script: filepath.Join(root, "make.mjs"), dir: t.TempDir()}
	must(t, os.WriteFile(filepath.Join(p.dir, "model.pkpass"), m.last, 0o600))
	must(t, os.WriteFile(filepath.Join(p.dir, "credentials.pem"), m.pem, 0o600))
	return p
}

// rates has each library make passes for a spell, and looks at the last one of each.
func (p *peers) rates(t *testing.T) map[string]float64 {
	t.Helper()
	if p.node == "" {
		return nil
	}
	c := exec.Command(p.node, p.script, p.dir, fmt.Sprint(spell.Milliseconds()))
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.Output()
	if err != nil {
		t.Fatalf("npm libraries: %v: %s", err, complaints.String())
	}
	var rates map[string]float64
	must(t, json.Unmarshal(out, &rates))
	for _, name := range peerNames {
		data, err := os.ReadFile(filepath.Join(p.dir, name+".pkpass"))
		must(t, err)
		complete(t, name, data)
	}
	return rates
}

// complete fails the run when somebody left out a part of the work.
func complete(t *testing.T, name string, data []byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	sizes := map[string]uint64{}
	for _, f := range z.File {
		sizes[f.Name] = f.UncompressedSize64
	}
	for _, file := range []string{"pass.json", "manifest.json", "signature", "icon@3x.png", "strip@3x.png", "logo@2x.png", "tr.lproj/pass.strings"} {
		if sizes[file] == 0 {
			t.Fatalf("the pass of %s has no %s: %v", name, file, sizes)
		}
	}
}
