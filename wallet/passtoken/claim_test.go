package passtoken

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

func claimSigner(t testing.TB, use keys.Use, seed byte) keys.Signer {
	t.Helper()
	s, err := keys.NewSigner(keys.Public{
		ID: TerminalKeyID, Use: use, NotBefore: dayZero, NotAfter: dayZero.AddDate(100, 0, 0),
	}, bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The code of a receipt is read and repaired like a pass, and is never one.
func TestAReceiptsCodeIsNoPass(t *testing.T) {
	own, other := claimSigner(t, keys.UseStatement, 1), claimSigner(t, keys.UsePass, 2)
	at := dayZero.AddDate(1, 0, 0)
	last, err := DayOf(at)
	if err != nil {
		t.Fatal(err)
	}
	id := uuid.MustParse("0190e7a0-0000-7000-8000-000000000001")
	token := IssueClaim(own, id, last)
	roster := []ed25519.PublicKey{other.Public.Key, own.Public.Key}
	for _, raw := range []string{token.Text(), strings.ToLower(token.Text()) + "\r\n", "]Q1" + token.Text()} {
		got, verified, err := ReadClaim(raw, at, roster)
		if err != nil || !verified || got != token || got.Pass().Subject != id {
			t.Errorf("%q: %+v, %t, %v", raw, got.Pass(), verified, err)
		}
	}
	if got, verified, err := ReadClaim(token.Text(), at, roster[:1]); err != nil || verified || got != token {
		t.Errorf("of another store: %t, %v", verified, err)
	}
	if _, _, err := ReadClaim(token.Text(), last.End().Add(time.Second), roster); problem.CodeOf(err) != problem.CodeExpired {
		t.Errorf("after its day: %v", err)
	}
	// Not even a key set that has a pass key of that id takes it for a pass.
	byHQ := IssueClaim(other, id, last)
	for _, raw := range []Token{token, byHQ} {
		_, err := Verifier{}.Verify(raw.Text(), at, 0, keys.Set{Keys: []keys.Public{other.Public, own.Public}}, nil)
		if problem.CodeOf(err) != problem.CodeKeyUnknown {
			t.Errorf("as a pass: %v", err)
		}
	}
	if _, err := Issue(other, Pass{Kind: KindMember, Subject: id, Issue: 1, ExpiresOn: last}); err == nil {
		t.Error("HQ issued a pass under the terminals' key id")
	}
	bent := token
	bent[3] ^= 1
	if bent.ClaimBy(own.Public.Key) || !token.ClaimBy(own.Public.Key) || token.ClaimBy(nil) {
		t.Error("the signature does not bind the claim")
	}
}

func FuzzReadClaim(f *testing.F) {
	own := claimSigner(f, keys.UseStatement, 1)
	token := IssueClaim(own, uuid.MustParse("0190e7a0-0000-7000-8000-000000000001"), 400)
	for _, seed := range []string{token.Text(), strings.ToLower(token.Text()), token.Text()[:100], "", "TS1", "]Q1" + token.Text() + "\r"} {
		f.Add(seed)
	}
	at := dayZero.AddDate(0, 1, 0)
	f.Fuzz(func(t *testing.T, raw string) {
		got, verified, err := ReadClaim(raw, at, []ed25519.PublicKey{own.Public.Key})
		if err == nil && (!got.claim() || verified != got.ClaimBy(own.Public.Key)) {
			t.Fatalf("%q is read as %+v, verified %t", raw, got.Pass(), verified)
		}
	})
}
