package passtoken

import (
	"errors"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
)

// seedVectors starts a fuzz run from every vector's text. The corpus in
// testdata/fuzz adds inputs that belong to no vector.
func seedVectors(f *testing.F, add func(raw string, at time.Time, clockError int)) {
	f.Helper()
	for _, v := range readVectors(f).Vectors {
		add(v.Raw, v.At, v.ClockError)
	}
}

// scanCodes are all a scan may be refused with before keys are looked at.
var scanCodes = map[problem.Code]bool{
	problem.CodeUnreadable: true, problem.CodeTruncated: true, problem.CodeVersion: true,
}

func FuzzScan(f *testing.F) {
	seedVectors(f, func(raw string, _ time.Time, _ int) { f.Add(raw) })
	f.Fuzz(func(t *testing.T, raw string) {
		found, err := Scan(raw)
		if err != nil {
			if !scanCodes[problem.CodeOf(err)] || found != nil {
				t.Fatalf("refused with %v and %d readings", err, len(found))
			}
			return
		}
		if len(found) == 0 || len(found) > len(layouts) || len(raw) > MaxRaw {
			t.Fatalf("%d readings of %d bytes", len(found), len(raw))
		}
		seen := map[Candidate]bool{}
		for _, c := range found {
			repair := c.Repair
			c.Repair = ""
			if seen[c] {
				t.Fatalf("reading %q appears twice", repair)
			}
			seen[c] = true
			back, err := Parse(c.Token.Text())
			if err != nil || back != c.Token {
				t.Fatalf("reading %q has no canonical text: %v", repair, err)
			}
			if c.Rotating != (len(c.TOTP) == totpLen) || c.Unix < 0 {
				t.Fatalf("reading %q: %+v", repair, c)
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	seedVectors(f, func(raw string, at time.Time, clockError int) {
		f.Add(raw, at.Unix(), int64(clockError)*int64(time.Second))
	})
	set, groups := testSet(), testGroups()
	f.Fuzz(func(t *testing.T, raw string, unix, clockError int64) {
		at := time.Unix(unix, 0)
		got, err := Verifier{}.Verify(raw, at, time.Duration(clockError), set, groups)
		var coded *problem.Error
		switch {
		case err != nil && (!errors.As(err, &coded) || got != Verified{}):
			t.Fatalf("refused with %v and %+v", err, got)
		case err != nil:
			return
		case got.Freshness != FreshnessStatic && got.Freshness != FreshnessRotating,
			(got.Freshness == FreshnessStatic) != (got.Step == 0):
			t.Fatalf("accepted as %+v", got)
		}
		// What is accepted was signed: one of its readings carries this pass under
		// a key of the set, and its own text is accepted alike.
		found, err := Scan(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range found {
			if _, err := signer(c.Token, set); err != nil || c.Token.Pass() != got.Pass {
				continue
			}
			again, err := Verifier{}.Verify(c.Token.Text(), at, 0, set, groups)
			if err != nil || again.Pass != got.Pass || again.Repair != RepairNone {
				t.Fatalf("canonical text: %+v, %v", again, err)
			}
			return
		}
		t.Fatal("accepted without a signature")
	})
}
