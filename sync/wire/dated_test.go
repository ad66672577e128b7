package wire_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

func TestG6_ADatedWordIsHQsOrNothing(t *testing.T) {
	hq, at := uuid.New(), time.Date(2016, 12, 31, 23, 59, 59, 0, time.UTC)
	signer := statementSigner(t, 1, at)
	set := keys.Set{Keys: []keys.Public{signer.Public}}
	seal := func(domain string, message any) wire.Dated {
		raw, err := wire.Seal(signer, domain, message)
		if err != nil {
			t.Fatal(err)
		}
		return wire.Dated{Domain: domain, Sealed: raw}
	}
	page := wire.FeedPage{V: wire.Version, HQ: hq, HQTime: at.UnixMilli()}
	good := map[string]wire.Dated{
		"welcome": seal(wire.DomainWelcome, wire.Welcome{V: wire.Version, HQ: hq, HQTime: at.UnixMilli()}),
		"receipt": seal(wire.DomainReceipt, wire.Receipt{V: wire.Version, HQ: hq, RecordedAt: at.UnixMilli()}),
		"page":    seal(wire.DomainFeed, page),
	}
	for name, d := range good {
		if got, err := wire.OpenDated(d, hq, set); err != nil || !got.Equal(at) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	full := page
	full.Items = []wire.Item{{Kind: wire.ItemMember, ID: hq, Body: append([]byte{0x59, 0x20, 0x00}, make([]byte, 8192)...)}}
	bent := wire.Dated{Domain: wire.DomainFeed, Sealed: bytes.Clone(good["page"].Sealed)}
	bent.Sealed[len(bent.Sealed)-1] ^= 1
	early, late := page, page
	early.HQTime, late.HQTime = at.Add(-2*time.Hour).UnixMilli(), at.Add(2*time.Hour).UnixMilli()
	for name, tt := range map[string]struct {
		said wire.Dated
		hq   uuid.UUID
		code problem.Code
	}{
		"another HQ's":              {good["page"], uuid.New(), problem.ProofInvalid},
		"in another domain":         {wire.Dated{Domain: wire.DomainWelcome, Sealed: seal(wire.DomainExport, wire.Welcome{HQ: hq, HQTime: at.UnixMilli()}).Sealed}, hq, problem.ProofInvalid},
		"changed":                   {bent, hq, problem.ProofInvalid},
		"a grant":                   {seal(wire.DomainGrant, wire.Grant{HQ: hq, GrantedAt: at.UnixMilli()}), hq, problem.InvalidBody},
		"too large":                 {seal(wire.DomainFeed, full), hq, problem.InvalidBody},
		"nothing":                   {wire.Dated{}, hq, problem.InvalidBody},
		"before its key was good":   {seal(wire.DomainFeed, early), hq, problem.ProofInvalid},
		"after its key had run out": {seal(wire.DomainFeed, late), hq, problem.ProofInvalid},
		"not CBOR":                  {wire.Dated{Domain: wire.DomainFeed, Sealed: []byte("x")}, hq, problem.BatchInvalid},
	} {
		if got, err := wire.OpenDated(tt.said, tt.hq, set); problem.CodeOf(err) != tt.code {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// statementSigner is HQ's, good for an hour around a moment.
func statementSigner(tb testing.TB, id uint8, at time.Time) keys.Signer {
	tb.Helper()
	signer, err := keys.NewSigner(keys.Public{
		ID: id, Use: keys.UseStatement, NotBefore: at.Add(-time.Hour), NotAfter: at.Add(time.Hour),
	}, bytes.Repeat([]byte{id}, 32))
	if err != nil {
		tb.Fatal(err)
	}
	return signer
}

func FuzzOpenDated(f *testing.F) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	signer := statementSigner(f, 1, at)
	set := keys.Set{Keys: []keys.Public{signer.Public}}
	raw, err := wire.Seal(signer, wire.DomainFeed, wire.FeedPage{V: wire.Version, HQTime: at.UnixMilli()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire.DomainFeed, raw)
	f.Add(wire.DomainReceipt, raw)
	f.Add(wire.DomainWelcome, raw[:len(raw)/2])
	f.Fuzz(func(t *testing.T, domain string, sealed []byte) {
		got, err := wire.OpenDated(wire.Dated{Domain: domain, Sealed: sealed}, uuid.Nil, set)
		if err == nil && got.Sub(at).Abs() > time.Hour {
			t.Errorf("believed that it is %s", got)
		}
	})
}
