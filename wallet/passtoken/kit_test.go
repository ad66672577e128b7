package passtoken

import (
	"bytes"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

// tester is what *testing.T, *testing.B, *testing.F and *rapid.T share.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// noon is the moment most tests ask about.
var noon = time.Date(2026, time.June, 15, 12, 0, 0, 0, time.UTC)

var member = uuid.MustParse("0190a5f0-7c1e-7b3a-9d44-5e6f70819203")

func utc(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// seed makes the secret of a test key: 32 times the same byte.
func seed(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func testSigner(id uint8, from, until time.Time) keys.Signer {
	s, err := keys.NewSigner(keys.Public{ID: id, Use: keys.UsePass, NotBefore: from, NotAfter: until}, seed(id))
	if err != nil {
		panic(err)
	}
	return s
}

// The test keys: 1 current, 2 next, 3 retired, 4 revoked, 9 known to nobody.
var (
	current = testSigner(1, utc(2026, 1, 1), utc(2028, 1, 1))
	next    = testSigner(2, utc(2026, 7, 1), utc(2029, 1, 1))
	retired = testSigner(3, utc(2024, 1, 1), utc(2026, 6, 15).Add(12*time.Hour))
	revoked = testSigner(4, utc(2026, 1, 1), utc(2028, 1, 1))
	foreign = testSigner(9, utc(2026, 1, 1), utc(2028, 1, 1))
)

func testSet() keys.Set {
	gone := revoked.Public
	gone.RevokedAt = utc(2026, 6, 1)
	return keys.Set{Version: 7, Keys: []keys.Public{current.Public, next.Public, retired.Public, gone}}
}

// Two freshness epochs that overlap for a day.
func testGroups() []keys.GroupKey {
	return []keys.GroupKey{
		{Epoch: 1, Secret: seed(0xa1), NotBefore: utc(2026, 1, 1), NotAfter: utc(2026, 7, 2)},
		{Epoch: 2, Secret: seed(0xa2), NotBefore: utc(2026, 7, 1), NotAfter: utc(2027, 1, 1)},
	}
}

func day(t tester, at time.Time) Day {
	t.Helper()
	d, err := DayOf(at)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// forge signs any bytes, as a holder of the key could but Issue would not.
func forge(s keys.Signer, facts [signedSize]byte) Token {
	var t Token
	copy(t[:], facts[:])
	copy(t[signedSize:], s.Sign(domain, facts[:]))
	return t
}

func issued(t tester, s keys.Signer, p Pass) Token {
	t.Helper()
	token, err := Issue(s, p)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// memberPass is good at noon.
func memberPass(t tester) Pass {
	return Pass{Kind: KindMember, Subject: member, Issue: 3, ExpiresOn: day(t, utc(2026, 12, 31))}
}

func verify(raw string, at time.Time) (Verified, error) {
	return Verifier{}.Verify(raw, at, 0, testSet(), testGroups())
}

func wantCode(t tester, err error, want problem.Code) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted, want %s", want)
	}
	if got := problem.CodeOf(err); got != want {
		t.Fatalf("refused with %s (%v), want %s", got, err, want)
	}
}
