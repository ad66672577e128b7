package apple_test

import (
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/tallystick/tallystick/wallet/apple"
)

// FuzzInspect reads foreign bytes as credentials beside a good intermediate: it must end,
// and either refuse with a reason or give credentials that sign.
func FuzzInspect(f *testing.F) {
	good := forge(f, spoil{})
	all := append(keyPEM(f, good.key), certPEM(good.leaf)...)
	f.Add(all)
	f.Add(all[:len(all)-40])
	f.Add(good.leaf.Raw)
	f.Add(pemBytes(keyPEM(f, good.key)))
	bag, err := pkcs12.Modern.WithIterations(1).Encode(good.key, good.leaf, nil, "x")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bag)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := apple.Source{Files: []apple.File{{Name: "f", Data: data}, {Name: "wwdr", Data: certPEM(good.intermediate)}}, Password: "x"}
		c, findings := apple.Inspect(s, now)
		refused := false
		for _, found := range findings {
			refused = refused || found.Severity == apple.Refuses
			if found.Text == "" || found.Code == "" {
				t.Errorf("finding without words: %+v", found)
			}
		}
		if refused == (c != nil) {
			t.Fatalf("refused %v, credentials %v", refused, c != nil)
		}
	})
}
