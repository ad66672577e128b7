package passtoken

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

func TestExpiryIsTheEndOfTheDayInUTC(t *testing.T) {
	p := memberPass(t)
	p.ExpiresOn = day(t, utc(2026, 6, 15))
	text := issued(t, current, p).Text()
	end := utc(2026, 6, 16)
	if _, err := verify(text, end.Add(-1).In(time.FixedZone("", 14*3600))); err != nil {
		t.Errorf("last nanosecond: %v", err)
	}
	_, err := verify(text, end)
	wantCode(t, err, problem.CodeExpired)
}

func TestKeyDates(t *testing.T) {
	for name, c := range map[string]struct {
		signer keys.Signer
		expiry time.Time
		at     time.Time
		want   problem.Code
	}{
		"current key":              {current, utc(2026, 12, 31), noon, ""},
		"its first instant":        {current, utc(2026, 12, 31), utc(2026, 1, 1), ""},
		"before it":                {current, utc(2026, 12, 31), utc(2026, 1, 1).Add(-1), problem.CodeNotYetValid},
		"a clock in 1970":          {current, utc(2026, 12, 31), time.Unix(0, 0), problem.CodeNotYetValid},
		"next key, too early":      {next, utc(2027, 12, 31), noon, problem.CodeNotYetValid},
		"next key, in its time":    {next, utc(2027, 12, 31), utc(2026, 7, 1), ""},
		"retired key, still dated": {retired, utc(2026, 6, 14), utc(2026, 6, 14), ""},
		"retired key, past it":     {retired, utc(2026, 6, 14), noon, problem.CodeExpired},
		"revoked key":              {revoked, utc(2026, 12, 31), noon, problem.CodeKeyRevoked},
		"revoked key, before then": {revoked, utc(2026, 12, 31), utc(2026, 5, 1), problem.CodeKeyRevoked},
		"unknown key":              {foreign, utc(2026, 12, 31), noon, problem.CodeKeyUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			p := memberPass(t)
			p.ExpiresOn = day(t, c.expiry)
			_, err := verify(issued(t, c.signer, p).Text(), c.at)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantCode(t, err, c.want)
		})
	}
}

// A key of another use with the same id must not verify passes.
func TestStatementKeyDoesNotSignPasses(t *testing.T) {
	record := current.Public
	record.Use = keys.UseStatement
	text := issued(t, current, memberPass(t)).Text()
	_, err := Verifier{}.Verify(text, noon, 0, keys.Set{Keys: []keys.Public{record}}, nil)
	wantCode(t, err, problem.CodeKeyUnknown)
}

func TestKinds(t *testing.T) {
	text := issued(t, current, memberPass(t)).Text()
	wants := func(kinds ...Kind) error {
		_, err := Verifier{Kinds: kinds}.Verify(text, noon, 0, testSet(), nil)
		return err
	}
	if err := wants(KindVoucher, KindMember); err != nil {
		t.Error(err)
	}
	wantCode(t, wants(KindVoucher), problem.CodeWrongKind)

	token := issued(t, current, memberPass(t))
	facts := [signedSize]byte(token[:signedSize])
	facts[0] = 0x13
	_, err := verify(forge(current, facts).Text(), noon)
	wantCode(t, err, problem.CodeVersion)
	facts[0] = 0x20
	_, err = verify(forge(current, facts).Text(), noon)
	wantCode(t, err, problem.CodeVersion)
}

func TestRotatingWindow(t *testing.T) {
	token := issued(t, current, memberPass(t))
	group := testGroups()[0]
	at := noon.Add(10 * time.Second)
	for _, c := range []struct {
		off, clockError time.Duration
		want            problem.Code
	}{
		{0, 0, ""},
		{30 * time.Second, 0, ""},
		{-30 * time.Second, 0, ""},
		{49 * time.Second, 0, ""}, // the last second of the next step
		{50 * time.Second, 0, problem.CodeStale},
		{-40 * time.Second, 0, ""}, // the first second of the step before
		{-41 * time.Second, 0, problem.CodeStale},
		{50 * time.Second, 29 * time.Second, problem.CodeStale},
		{50 * time.Second, 30 * time.Second, ""},
		{-70 * time.Second, 59 * time.Second, ""},
		{-71 * time.Second, 59 * time.Second, problem.CodeStale},
		{0, -time.Hour, ""},
		{-time.Hour, -2 * time.Hour, problem.CodeStale},
	} {
		shown := at.Add(c.off)
		got, err := Verifier{}.Verify(RotatingText(token, group, shown), at, c.clockError, testSet(), testGroups())
		switch {
		case c.want != "":
			if problem.CodeOf(err) != c.want {
				t.Errorf("%s off, clock %s: %v, want %s", c.off, c.clockError, err, c.want)
			}
		case err != nil:
			t.Errorf("%s off, clock %s: %v", c.off, c.clockError, err)
		case got.Step != shown.Unix()/30 || got.Freshness != FreshnessRotating:
			t.Errorf("%s off: step %d, %s", c.off, got.Step, got.Freshness)
		}
	}
}

func TestTimeAndTOTPMustBeOfOneStep(t *testing.T) {
	token := issued(t, current, memberPass(t))
	group := testGroups()[0]
	now := RotatingText(token, group, noon)
	before := RotatingText(token, group, noon.Add(-30*time.Second))
	// Both steps are inside the window; only their mixture is wrong.
	for _, raw := range []string{
		now[:TextLen+unixLen] + before[TextLen+unixLen:],
		before[:TextLen+unixLen] + now[TextLen+unixLen:],
	} {
		_, err := verify(raw, noon)
		wantCode(t, err, problem.CodeForged)
	}
}

func TestTOTPIsBoundToItsSubject(t *testing.T) {
	other := memberPass(t)
	other.Subject[0] ^= 1
	group := testGroups()[0]
	mine := RotatingText(issued(t, current, memberPass(t)), group, noon)
	theirs := RotatingText(issued(t, current, other), group, noon)
	_, err := verify(mine[:TextLen]+theirs[TextLen:], noon)
	wantCode(t, err, problem.CodeForged)
}

func TestGroupKeyIsChosenByTheCodesTime(t *testing.T) {
	var token Token
	groups := testGroups()
	for name, c := range map[string]struct {
		group int
		at    time.Time
		want  problem.Code
	}{
		"old epoch":              {0, noon, ""},
		"overlap, old":           {0, utc(2026, 7, 1).Add(time.Hour), ""},
		"overlap, new":           {1, utc(2026, 7, 1).Add(time.Hour), ""},
		"new epoch":              {1, utc(2026, 8, 1), ""},
		"new key before its day": {1, noon, problem.CodeForged},
		"old key after its day":  {0, utc(2026, 8, 1), problem.CodeForged},
		"after all epochs":       {1, utc(2027, 2, 1), problem.CodeKeyUnknown},
	} {
		p := memberPass(t)
		p.ExpiresOn = day(t, utc(2027, 12, 31))
		token = issued(t, current, p)
		_, err := verify(RotatingText(token, groups[c.group], c.at), c.at)
		if c.want == "" && err != nil || c.want != "" && problem.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	_, err := Verifier{}.Verify(RotatingText(token, groups[0], noon), noon, 0, testSet(), nil)
	wantCode(t, err, problem.CodeKeyUnknown)
}

// Every cut of a rotating code is refused, but the one that leaves a whole static
// code: that is a static code, and worth no more.
func TestEveryCutIsRefused(t *testing.T) {
	full := RotatingText(issued(t, current, memberPass(t)), testGroups()[0], noon)
	for n := range len(full) {
		got, err := verify(full[:n], noon)
		if n == TextLen {
			if err != nil || got.Freshness != FreshnessStatic || got.Step != 0 {
				t.Errorf("static part: %+v, %v", got, err)
			}
			continue
		}
		want := problem.CodeTruncated
		if n < len(prefix) {
			want = problem.CodeUnreadable
		}
		if problem.CodeOf(err) != want {
			t.Errorf("cut to %d: %v, want %s", n, err, want)
		}
	}
	_, err := verify(full+"0", noon)
	wantCode(t, err, problem.CodeUnreadable)
}

// A truncated or forged code stays so when a layout scrambled it as well.
func TestRefusalsSeeThroughDamage(t *testing.T) {
	text := everyCharacter(t).Text()
	azerty := both(azertyLetters, azertyDigits)
	_, err := verify(azerty(text[:100]), noon)
	wantCode(t, err, problem.CodeTruncated)
	flipped := text[:50] + strings.Map(func(r rune) rune {
		return rune(alphabet[indexOf(byte(r))^1])
	}, text[50:51]) + text[51:]
	_, err = verify(azerty(flipped), noon)
	wantCode(t, err, problem.CodeForged)
}

// The answers are those of the freshness and kind words of DESIGN.
func TestWords(t *testing.T) {
	got := []string{
		KindMember.String(), KindVoucher.String(), KindReceiptClaim.String(), Kind(7).String(),
		string(FreshnessStatic), string(FreshnessRotating), string(FreshnessKeyed),
	}
	want := []string{"member", "voucher", "receipt_claim", "kind 7", "static", "rotating", "keyed"}
	if !slices.Equal(got, want) {
		t.Errorf("words are %v", got)
	}
}
