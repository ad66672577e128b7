package passtoken

import (
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

// Verifier decides whether a scanned code is good. The zero value accepts every
// kind of version 1.
type Verifier struct {
	// Kinds are the kinds wanted here; empty means any.
	Kinds []Kind
}

// Verified is a code that is good at the moment asked about. Still to check, with
// the memory this package has not: the issue number, blocks, and, for a rotating
// code, that (Subject, Step) was not used before.
type Verified struct {
	Pass Pass
	// Freshness is FreshnessStatic or FreshnessRotating.
	Freshness Freshness
	// Step is the TOTP step, Unix seconds over 30, of a rotating code; else 0.
	Step int64
	// Repair is what had to be undone before the signature fitted.
	Repair Repair
}

// Verify reads and repairs raw and checks, in this order: form, version, key and
// signature, the key's dates, kind, expiry, and freshness. The first that fails
// gives the error, a *problem.Error with one of the Code… codes.
//
// Dates are compared with at alone, never widened by clockError; a key's dates
// with at too, not with the unknown day of issue: a retired key verifies until the
// NotAfter of its record, and a revoked one never. clockError is how far the
// caller's clock may be off, either way; it widens only the window of a rotating
// code, by whole steps of 30 s. Groups are tried by the code's own time.
func (v Verifier) Verify(raw string, at time.Time, clockError time.Duration,
	set keys.Set, groups []keys.GroupKey,
) (Verified, error) {
	runes, err := clean(raw)
	if err != nil {
		return Verified{}, err
	}
	var refused nearest
	for c, err := range readings(runes) {
		if err != nil {
			refused.note(err)
			continue
		}
		key, err := signer(c.Token, set)
		if err != nil {
			refused.note(err)
			continue
		}
		return v.judge(c, key, at, clockError, groups)
	}
	return Verified{}, refused.error()
}

// signer returns the key whose signature the token carries.
func signer(t Token, set keys.Set) (keys.Public, error) {
	if t[atKeyID] == TerminalKeyID {
		return keys.Public{}, problem.New(problem.CodeKeyUnknown, "signed by a terminal, not by head office")
	}
	key, err := set.Find(keys.UsePass, t[atKeyID])
	if err != nil {
		return keys.Public{}, problem.Wrap(problem.CodeKeyUnknown, err, "signed by a key that is not in the key set")
	}
	if err := key.Verify(domain, t[:signedSize], t[signedSize:]); err != nil {
		return keys.Public{}, problem.Wrap(problem.CodeForged, err, "")
	}
	return key, nil
}

// judge decides about a token whose signature is good.
func (v Verifier) judge(c Candidate, key keys.Public, at time.Time, clockError time.Duration,
	groups []keys.GroupKey,
) (Verified, error) {
	p := c.Token.Pass()
	if err := checkKey(key, at); err != nil {
		return Verified{}, err
	}
	if !p.Kind.known() {
		return Verified{}, problem.Newf(problem.CodeVersion, "%s", p.Kind)
	}
	if len(v.Kinds) > 0 && !slices.Contains(v.Kinds, p.Kind) {
		return Verified{}, problem.Newf(problem.CodeWrongKind, "this is a %s code", p.Kind)
	}
	if !at.Before(p.ExpiresOn.End()) {
		return Verified{}, problem.Newf(problem.CodeExpired, "last day was %s", p.ExpiresOn)
	}
	good := Verified{Pass: p, Freshness: FreshnessStatic, Repair: c.Repair}
	if c.Rotating {
		if err := checkFresh(c, at, clockError, groups); err != nil {
			return Verified{}, err
		}
		good.Freshness, good.Step = FreshnessRotating, c.Unix/stepSeconds
	}
	return good, nil
}

func checkKey(key keys.Public, at time.Time) error {
	err := key.ValidAt(at)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keys.ErrKeyRevoked):
		return problem.Wrap(problem.CodeKeyRevoked, err, "")
	case errors.Is(err, keys.ErrKeyNotYet):
		return problem.Wrap(problem.CodeNotYetValid, err, "its key is valid from "+key.NotBefore.UTC().Format(time.RFC3339))
	}
	return problem.Wrap(problem.CodeExpired, err, "its key was valid until "+key.NotAfter.UTC().Format(time.RFC3339))
}

// minGroupSecret is the length in bytes from which on a group key counts. HQ makes
// 32; a shorter one is a damaged record, and anybody could guess it.
const minGroupSecret = 16

// checkFresh checks the two numbers behind the token. A code outside the window is
// stale; one inside it with no key to check it by is our lack, not the shopper's;
// one whose TOTP is not that of its own time was made by somebody without the key.
func checkFresh(c Candidate, at time.Time, clockError time.Duration, groups []keys.GroupKey) error {
	step := c.Unix / stepSeconds
	off := step - floorStep(at)
	window := 1 + int64(max(clockError, 0)/(stepSeconds*time.Second))
	if off > window || -off > window {
		return problem.Newf(problem.CodeStale, "made for a moment %d steps of %d s away, at most %d are accepted",
			max(off, -off), stepSeconds, window)
	}
	subject := c.Token.Pass().Subject
	made := time.Unix(c.Unix, 0)
	covered, match := false, 0
	for _, g := range groups {
		if made.Before(g.NotBefore) || !made.Before(g.NotAfter) || len(g.Secret) < minGroupSecret {
			continue
		}
		covered = true
		match |= subtle.ConstantTimeCompare([]byte(totp(g.TOTPKey(subject), step)), []byte(c.TOTP))
	}
	switch {
	case !covered:
		return problem.New(problem.CodeKeyUnknown, "no freshness key covers the code's time")
	case match == 0:
		return problem.New(problem.CodeForged, "the rotating part does not fit its time")
	}
	return nil
}

// floorStep is the step of a moment, also before 1970.
func floorStep(at time.Time) int64 {
	unix := at.Unix()
	step := unix / stepSeconds
	if unix%stepSeconds < 0 {
		step--
	}
	return step
}
