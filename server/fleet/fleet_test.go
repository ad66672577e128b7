package fleet_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/wire"
)

// rig is the fleet of an HQ with one store and one terminal that is new.
type rig struct {
	*books.HQ
	*fleet.Fleet
	store    fleet.Store
	terminal fleet.Terminal
	code     string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{HQ: books.New(t)}
	r.Fleet = fleet.New(fleet.Env{
		Keeper: r.DB, Journal: r.Journal, Clock: r.Clock, Random: rand.Reader, HQ: r.ID, Keys: r.Keys, HQEpoch: 1, Statement: r.Signer,
		NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) }, NonceKey: make([]byte, 32),
	})
	var err error
	r.store, err = r.OpenStore(t.Context(), uuid.Nil, fleet.Store{Code: "b1", Name: "Berlin", TimeZone: "Europe/Berlin", Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	var code fleet.OneTimeCode
	if r.terminal, code, err = r.AddTerminal(t.Context(), uuid.Nil, r.store.ID, "lane 1"); err != nil {
		t.Fatal(err)
	}
	r.code = code.Text
	return r
}

// key makes the nth key.
func key(n byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)) }

// request asks to enrol with a code and a key.
func request(code string, private ed25519.PrivateKey) wire.EnrolRequest {
	signer, err := keys.NewSigner(keys.Public{}, private.Seed())
	if err != nil {
		panic(err) // the seed is one of ours
	}
	public := signer.Public.Key
	return wire.EnrolRequest{
		V: wire.Version, Code: code, PublicKey: public, Software: "1.0",
		Signature: signer.Sign(wire.DomainEnrol, append([]byte(code), public...)),
	}
}

func (r *rig) enrol(code string, n byte) error {
	_, err := r.Enrol(context.Background(), request(code, key(n)))
	return err
}

func wantCode(t *testing.T, name string, err error, want problem.Code) {
	t.Helper()
	if problem.CodeOf(err) != want && (err != nil || want != "") {
		t.Errorf("%s: %v, want %q", name, err, want)
	}
}

func TestStoresAndTerminalsThatCannotBe(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	good := fleet.Store{Code: "b2", Name: "Bonn", TimeZone: "Europe/Berlin", Currency: "EUR"}
	for _, c := range []struct {
		name   string
		change func(s *fleet.Store)
		want   problem.Code
	}{
		{"a store", func(*fleet.Store) {}, ""},
		{"its code again", func(*fleet.Store) {}, problem.NameTaken},
		{"no code", func(s *fleet.Store) { s.Code = "" }, problem.InvalidField},
		{"no name", func(s *fleet.Store) { s.Name = " " }, problem.InvalidField},
		{"no such time zone", func(s *fleet.Store) { s.TimeZone = "Europe/Atlantis" }, problem.InvalidField},
		{"no such currency", func(s *fleet.Store) { s.Currency = "euro" }, problem.InvalidField},
	} {
		s := good
		c.change(&s)
		_, err := r.OpenStore(ctx, uuid.Nil, s)
		wantCode(t, c.name, err, c.want)
	}
	for _, c := range []struct {
		name, terminal string
		store          uuid.UUID
		want           problem.Code
	}{
		{"the same name in one store", "lane 1", r.store.ID, problem.NameTaken},
		{"no name", "", r.store.ID, problem.InvalidField},
		{"a name too long", strings.Repeat("x", 65), r.store.ID, problem.InvalidField},
		{"no such store", "lane 2", uuid.Max, problem.NotFound},
	} {
		_, _, err := r.AddTerminal(ctx, uuid.Nil, c.store, c.terminal)
		wantCode(t, c.name, err, c.want)
	}
	if all, err := r.Stores(ctx, uuid.Nil, 10); err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := r.Terminals(ctx, r.store.ID, uuid.Nil, 10); err != nil || len(all) != 1 || all[0].State != fleet.StateNew {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestACodeEnrolsOneKeyOnce(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	wantCode(t, "a wrong code", r.enrol("AAAA-AAAA-AAAA-AAAA", 1), problem.EnrolCodeInvalid)
	forged := request(r.code, key(1))
	forged.Signature[0] ^= 1
	_, err := r.Enrol(ctx, forged)
	wantCode(t, "a wrong signature", err, problem.ProofInvalid)
	newer := request(r.code, key(1))
	newer.V = wire.Version + 1
	_, err = r.Enrol(ctx, newer)
	wantCode(t, "a version unknown", err, problem.WireVersion)
	wantCode(t, "as it was typed", r.enrol(strings.ToLower(r.code), 1), "")
	wantCode(t, "the answer was lost", r.enrol(r.code, 1), "")
	wantCode(t, "the code with another key", r.enrol(r.code, 2), problem.EnrolCodeInvalid)
	again, err := r.NewCode(ctx, r.terminal.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a key that was used before", r.enrol(again.Text, 1), problem.EnrolCodeInvalid)
	wantCode(t, "a new key", r.enrol(again.Text, 2), "")
	if got, err := r.Terminal(ctx, r.terminal.ID); err != nil || got.Epoch != 2 || got.State != fleet.StateEnrolled {
		t.Errorf("%+v, %v", got, err)
	}
	late, err := r.NewCode(ctx, r.terminal.ID)
	if err != nil {
		t.Fatal(err)
	}
	r.Clock.Advance(10 * time.Minute)
	wantCode(t, "a code too old", r.enrol(late.Text, 3), problem.EnrolCodeInvalid)
}

func TestRevocationHoldsUntilItIsEnded(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	wantCode(t, "enrol", r.enrol(r.code, 1), "")
	code, err := r.NewCode(ctx, r.terminal.ID)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := r.Revoke(ctx, uuid.Nil, r.terminal.ID)
		if err != nil || got.State != fleet.StateRevoked {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	wantCode(t, "a code made before", r.enrol(code.Text, 2), problem.EnrolCodeInvalid)
	_, err = r.NewCode(ctx, r.terminal.ID)
	wantCode(t, "a code for a revoked terminal", err, problem.TerminalRevoked)
	if err := r.Fleet.Quarantine(ctx, r.terminal.ID, "fork"); err != nil {
		t.Error(err)
	}
	if got, err := r.Terminal(ctx, r.terminal.ID); err != nil || got.State != fleet.StateRevoked {
		t.Errorf("quarantine undid a revocation: %+v, %v", got, err)
	}
	if _, err := r.Reinstate(ctx, uuid.Nil, r.terminal.ID); err != nil {
		t.Fatal(err)
	}
	_, err = r.Reinstate(ctx, uuid.Nil, r.terminal.ID)
	wantCode(t, "reinstated twice", err, problem.StateConflict)
	if code, err = r.NewCode(ctx, r.terminal.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "enrolled again", r.enrol(code.Text, 3), "")
	_, err = r.Revoke(ctx, uuid.Nil, uuid.Max)
	wantCode(t, "no such terminal", err, problem.NotFound)
	counts, err := r.Counts(ctx)
	if err != nil || counts.Total != 1 || counts.Enrolled != 1 || counts.Revoked != 0 {
		t.Errorf("%+v, %v", counts, err)
	}
}

func TestWhoMayPull(t *testing.T) {
	for _, c := range []struct {
		state        fleet.State
		epoch, proof uint32
		want         problem.Code
	}{
		{fleet.StateEnrolled, 2, 2, ""},
		{fleet.StateEnrolled, 2, 1, problem.TerminalQuarantined},
		{fleet.StateQuarantined, 2, 2, problem.TerminalQuarantined},
		{fleet.StateRevoked, 2, 2, problem.TerminalRevoked},
	} {
		who := fleet.Caller{Terminal: fleet.Terminal{State: c.state, Epoch: c.epoch}, Epoch: c.proof}
		wantCode(t, string(c.state), who.MayPull(), c.want)
	}
}

// A request is proven by the terminal's key over what arrived, and its nonce lives
// for ten minutes.
func TestIdentifyByProof(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	wantCode(t, "enrol", r.enrol(r.code, 1), "")
	good := wire.Proof{HQ: r.ID, Terminal: r.terminal.ID, Epoch: 1, Method: "POST", Path: "/sync/v1/push", Body: []byte("body"), ID: "1", IssuedAt: r.Clock.Now()}
	for _, c := range []struct {
		name   string
		change func(p *wire.Proof)
		signer byte
		later  time.Duration
		want   problem.Code
	}{
		{"good", func(*wire.Proof) {}, 1, 0, ""},
		{"good to the end of its life", func(*wire.Proof) {}, 1, 5 * time.Minute, ""},
		{"too old", func(*wire.Proof) {}, 1, 10 * time.Minute, problem.ProofNonce},
		{"another key", func(*wire.Proof) {}, 2, 0, problem.ProofInvalid},
		{"another body", func(p *wire.Proof) { p.Body = nil }, 1, 0, problem.ProofInvalid},
		{"an epoch unknown", func(p *wire.Proof) { p.Epoch = 7 }, 1, 0, problem.ProofInvalid},
		{"a terminal unknown", func(p *wire.Proof) { p.Terminal = uuid.Max }, 1, 0, problem.ProofInvalid},
		{"no nonce of ours", func(p *wire.Proof) { p.Nonce = "x" }, 1, 0, problem.ProofNonce},
	} {
		p := good
		p.Nonce = r.Nonce()
		c.change(&p)
		token, err := wire.Prove(key(c.signer), p)
		if err != nil {
			t.Fatal(err)
		}
		r.Clock.Advance(c.later)
		who, err := r.Identify(ctx, token, good.Method, good.Path, good.Body)
		wantCode(t, c.name, err, c.want)
		if err == nil && (who.Terminal.ID != r.terminal.ID || who.Epoch != 1) {
			t.Errorf("%s: %+v", c.name, who)
		}
	}
}
