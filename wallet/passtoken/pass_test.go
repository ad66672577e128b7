package passtoken

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

func TestLengthsAreThoseOfTheFormat(t *testing.T) {
	token := issued(t, current, memberPass(t))
	rotating := RotatingText(token, testGroups()[0], noon)
	if Size != 86 || len(token.Text()) != 141 || TextLen != 141 || len(rotating) != 159 || RotatingLen != 159 {
		t.Errorf("size %d, text %d, rotating %d", Size, len(token.Text()), len(rotating))
	}
}

func TestLayoutOfTheSignedBytes(t *testing.T) {
	token := issued(t, current, Pass{Kind: KindVoucher, Subject: member, Issue: 0x0102, ExpiresOn: 0x0304})
	want := "1101" + "0190a5f07c1e7b3a9d445e6f70819203" + "0102" + "0304"
	if got := hex.EncodeToString(token[:signedSize]); got != want {
		t.Errorf("signed bytes\n%s, want\n%s", got, want)
	}
	if err := current.Public.Verify("tallystick pass v1", token[:22], token[22:]); err != nil {
		t.Error(err)
	}
	p := token.Pass()
	if p != (Pass{Version: 1, Kind: KindVoucher, KeyID: 1, Subject: member, Issue: 0x0102, ExpiresOn: 0x0304}) {
		t.Errorf("read back %+v", p)
	}
}

func TestDays(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want Day
	}{
		{utc(2024, 1, 1), 0},
		{utc(2024, 1, 2).Add(-time.Nanosecond), 0},
		{utc(2024, 12, 31), 365},
		{time.Date(2024, 1, 3, 1, 0, 0, 0, time.FixedZone("", 2*3600)), 1},
		{utc(2203, 6, 7), 65535},
	} {
		if got := day(t, c.at); got != c.want {
			t.Errorf("day of %s is %d, want %d", c.at, got, c.want)
		}
	}
	for _, at := range []time.Time{utc(2024, 1, 1).Add(-1), utc(2203, 6, 8), utc(1970, 1, 1), utc(9999, 1, 1)} {
		if d, err := DayOf(at); err == nil {
			t.Errorf("%s became day %d", at, d)
		}
	}
	if got := Day(0).End(); !got.Equal(utc(2024, 1, 2)) {
		t.Errorf("day 0 ends %s", got)
	}
	if got := Day(65535).String(); got != "2203-06-07" {
		t.Errorf("last day is %s", got)
	}
}

func TestIssueRefuses(t *testing.T) {
	statement, err := keys.NewSigner(keys.Public{ID: 1, Use: keys.UseStatement, NotAfter: utc(2028, 1, 1)}, seed(1))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		signer keys.Signer
		change func(*Pass)
		want   error
	}{
		"empty signer":     {keys.Signer{Public: current.Public}, func(*Pass) {}, ErrSigner},
		"statement key":    {statement, func(*Pass) {}, ErrSigner},
		"version 2":        {current, func(p *Pass) { p.Version = 2 }, ErrPass},
		"unknown kind":     {current, func(p *Pass) { p.Kind = 3 }, ErrPass},
		"no subject":       {current, func(p *Pass) { p.Subject = uuid.Nil }, ErrPass},
		"outlives its key": {current, func(p *Pass) { p.ExpiresOn = day(t, utc(2028, 1, 1)) }, ErrOutlivesKey},
	} {
		p := memberPass(t)
		c.change(&p)
		if _, err := Issue(c.signer, p); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	p := memberPass(t)
	p.ExpiresOn = day(t, utc(2027, 12, 31))
	if _, err := Issue(current, p); err != nil {
		t.Errorf("the key's own last day: %v", err)
	}
}

func TestParseTakesOnlyTheOneText(t *testing.T) {
	token := issued(t, current, memberPass(t))
	text := token.Text()
	if got, err := Parse(text); err != nil || got != token {
		t.Fatalf("own text: %v", err)
	}
	last := text[len(text)-1]
	for name, bad := range map[string]string{
		"lower case": "ts1" + text[3:], "space": " " + text, "newline inside": text[:70] + "\n" + text[71:],
		"short": text[:140], "long": text + "0", "rotating": RotatingText(token, testGroups()[0], noon),
		"padding": text[:140] + "=", "look-alike O": text[:10] + "O" + text[11:], "empty": "",
		"trailing bits": text[:140] + string(alphabet[indexOf(last)|1]), "prefix": "TS2" + text[3:],
	} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%s: accepted", name)
		} else if problem.CodeOf(err) != problem.CodeUnreadable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func indexOf(c byte) int {
	for i := range len(alphabet) {
		if alphabet[i] == c {
			return i
		}
	}
	return -1
}

// The vectors of RFC 6238 appendix B for SHA-1, eight digits.
func TestTOTPAgreesWithRFC6238(t *testing.T) {
	key := []byte("12345678901234567890")
	for unix, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471",
		1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := totp(key, unix/stepSeconds); got != want {
			t.Errorf("at %d: %s, want %s", unix, got, want)
		}
	}
}

func genPass(t *rapid.T) Pass {
	return Pass{
		Version: Version,
		Kind:    Kind(rapid.IntRange(0, 2).Draw(t, "kind")),
		KeyID:   1,
		Subject: uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).
			Filter(func(b []byte) bool { return uuid.UUID(b) != uuid.Nil }).Draw(t, "subject")),
		Issue: rapid.Uint16().Draw(t, "issue"),
		// 896 is noon's day; 1460 is the last day of the current key.
		ExpiresOn: Day(rapid.Uint16Range(896, 1460).Draw(t, "expires_on")),
	}
}

func TestTextRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := genPass(t)
		token := issued(t, current, p)
		back, err := Parse(token.Text())
		if err != nil || back != token || back.Pass() != p {
			t.Fatalf("read back %+v, %v", back.Pass(), err)
		}
	})
}
