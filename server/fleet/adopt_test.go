package fleet_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// office is a fleet over books; epoch is that of HQ.
func office(hq *books.HQ, epoch uint32) *fleet.Fleet {
	return fleet.New(fleet.Env{
		Keeper: hq.DB, Journal: hq.Journal, Clock: hq.Clock, Random: rand.Reader, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		HQ: hq.ID, Keys: hq.Keys, HQEpoch: epoch, Statement: hq.Signer, NonceKey: make([]byte, 32),
	})
}

func terminalKey(t *testing.T, n byte) keys.Signer {
	t.Helper()
	s, err := keys.NewSigner(keys.Public{}, bytes.Repeat([]byte{n}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// enrol turns a code into the next epoch of a terminal.
func enrol(t *testing.T, f *fleet.Fleet, code string, key keys.Signer) wire.Enrolment {
	t.Helper()
	public := []byte(key.Public.Key)
	e, err := f.Enrol(context.Background(), wire.EnrolRequest{
		V: wire.Version, Code: code, PublicKey: public, Signature: key.Sign(wire.DomainEnrol, append([]byte(code), public...)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// lost is an HQ that enrolled a terminal, and the same HQ restored to before that.
type lost struct {
	before, after  *books.HQ
	had, has       *fleet.Fleet
	store          fleet.Store
	terminal       fleet.Terminal
	first, second  wire.Enrolment
	keyOne, keyTwo keys.Signer
}

func newLost(t *testing.T) *lost {
	t.Helper()
	ctx := context.Background()
	l := &lost{before: books.New(t), after: books.New(t), keyOne: terminalKey(t, 1), keyTwo: terminalKey(t, 2)}
	l.had, l.has = office(l.before, 1), office(l.after, 1000)
	var err error
	if l.store, err = l.had.OpenStore(ctx, uuid.Nil, fleet.Store{Code: "s", Name: "S", TimeZone: "Europe/Berlin", Currency: "EUR"}); err != nil {
		t.Fatal(err)
	}
	if err := l.after.DB.AddStore(ctx, l.store); err != nil { // in the backup
		t.Fatal(err)
	}
	var code fleet.OneTimeCode
	if l.terminal, code, err = l.had.AddTerminal(ctx, uuid.Nil, l.store.ID, "lane"); err != nil {
		t.Fatal(err)
	}
	l.first = enrol(t, l.had, code.Text, l.keyOne)
	if code, err = l.had.NewCode(ctx, l.terminal.ID); err != nil {
		t.Fatal(err)
	}
	l.second = enrol(t, l.had, code.Text, l.keyTwo)
	return l
}

func code(t *testing.T, err error, want problem.Code) {
	t.Helper()
	if err == nil || problem.CodeOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// What HQ has signed itself it takes in again, once, with a fact in its journal and a
// line for a person; a lower epoch may deliver and is told nothing, and no epoch is
// given twice.
func TestARestoredHQAdoptsWhatItHasEnrolled(t *testing.T) {
	l, ctx := newLost(t), context.Background()
	if l.first.Epoch != 1 || l.second.Epoch != 2 || l.second.TimeZone != "Europe/Berlin" {
		t.Fatalf("%+v, %+v", l.first, l.second)
	}
	for range 2 {
		if err := l.has.Adopt(ctx, l.second.Statement); err != nil {
			t.Fatal(err)
		}
	}
	got, err := l.has.Terminal(ctx, l.terminal.ID)
	if err != nil || got.Epoch != 2 || got.State != fleet.StateEnrolled || got.Name != "lane" || got.Store != l.store.ID {
		t.Fatalf("adopted %+v, %v", got, err)
	}
	if list := l.after.Exceptions(t, ledger.TerminalAdopted); len(list) != 1 || list[0].Terminal != got.ID || list[0].State != ledger.ExceptionOpen {
		t.Errorf("for a person: %+v", list)
	}
	told := 0
	for in := range 256 {
		rows, err := l.after.DB.AuditHQEntries(ctx, in, 1, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Kind == entry.KindHQTerminal {
				told++
			}
		}
	}
	if told != 1 {
		t.Errorf("%d facts in HQ's journal", told)
	}
	if err := l.has.Adopt(ctx, l.first.Statement); err != nil {
		t.Fatal(err)
	}
	got, err = l.has.Terminal(ctx, l.terminal.ID)
	if err != nil || got.Epoch != 2 || !got.PublicKey.Equal(l.keyTwo.Public.Key) {
		t.Errorf("a lower epoch became the terminal's: %+v, %v", got, err)
	}
	code(t, fleet.Caller{Terminal: got, Epoch: 1}.MayPull(), problem.TerminalQuarantined)
	if from, err := l.has.Deliverer(ctx, got.ID, 1); err != nil || from.State != string(fleet.StateQuarantined) {
		t.Errorf("the lower epoch delivers as %+v, %v", from, err)
	}
	next, err := l.has.NewCode(ctx, got.ID)
	if err != nil {
		t.Fatal(err)
	}
	if e := enrol(t, l.has, next.Text, terminalKey(t, 3)); e.Epoch < 1000 {
		t.Errorf("epoch %d may have been given before the restore", e.Epoch)
	}
}

func TestWhatHQHasNotSignedIsNotAdopted(t *testing.T) {
	l, ctx := newLost(t), context.Background()
	for i := range l.second.Statement {
		forged := bytes.Clone(l.second.Statement)
		forged[i] ^= 1
		if err := l.has.Adopt(ctx, forged); err == nil {
			t.Fatalf("a flipped bit in byte %d is not seen", i)
		}
	}
	seal := func(signer keys.Signer, domain string, change func(e *wire.Enrolled)) []byte {
		e, err := wire.OpenEnrolled(l.second.Statement, l.before.Keys, l.before.ID)
		if err != nil {
			t.Fatal(err)
		}
		change(&e)
		raw, err := wire.Seal(signer, domain, e)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	other := terminalKey(t, 9)
	other.Public.ID, other.Public.Use = 1, keys.UseStatement
	same := func(*wire.Enrolled) {}
	code(t, l.has.Adopt(ctx, seal(other, wire.DomainEnrolled, same)), problem.EnrolmentRefused)
	code(t, l.has.Adopt(ctx, seal(l.before.Signer, wire.DomainReceipt, same)), problem.EnrolmentRefused)
	code(t, l.has.Adopt(ctx, seal(l.before.Signer, wire.DomainEnrolled, func(e *wire.Enrolled) { e.HQ = uuid.New() })), problem.EnrolmentRefused)
	code(t, l.has.Adopt(ctx, seal(l.before.Signer, wire.DomainEnrolled, func(e *wire.Enrolled) { e.Store = uuid.New() })), problem.StoreUnknown)
	if err := l.has.Adopt(ctx, l.second.Statement); err != nil {
		t.Fatal(err)
	}
	code(t, l.has.Adopt(ctx, seal(l.before.Signer, wire.DomainEnrolled, func(e *wire.Enrolled) { e.PublicKey = other.Public.Key })), problem.EnrolmentRefused)
}

// A hello that shows an enrolment is believed only with the enrolled key's own proof.
func TestAStolenEnrolmentIsWorthNothing(t *testing.T) {
	l, ctx := newLost(t), context.Background()
	prove := func(key keys.Signer) string {
		token, err := wire.Prove(key.Private(), wire.Proof{
			HQ: l.after.ID, Terminal: l.terminal.ID, Epoch: 2, Method: "POST", Path: wire.PathHello, Nonce: l.has.Nonce(),
			ID: "1", IssuedAt: l.after.Clock.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	_, err := l.has.IdentifyOrAdopt(ctx, prove(terminalKey(t, 8)), "POST", wire.PathHello, nil, l.second.Statement)
	code(t, err, problem.ProofInvalid)
	_, err = l.has.IdentifyOrAdopt(ctx, prove(l.keyTwo), "POST", wire.PathHello, nil, l.first.Statement)
	code(t, err, problem.EnrolmentRefused)
	_, err = l.has.Terminal(ctx, l.terminal.ID)
	code(t, err, problem.NotFound)
	who, err := l.has.IdentifyOrAdopt(ctx, prove(l.keyTwo), "POST", wire.PathHello, nil, l.second.Statement)
	if err != nil || who.Terminal.ID != l.terminal.ID || who.MayPull() != nil {
		t.Errorf("%+v, %v", who, err)
	}
}

// What a terminal has seen of HQ's journal shows a restored HQ how many of its own
// facts are lost, a line for each shard however many terminals tell.
func TestTerminalsTellARestoredHQWhatItHasLost(t *testing.T) {
	l, ctx := newLost(t), context.Background()
	earlier, err := l.had.Heads(ctx)
	if err != nil {
		t.Fatal(err)
	}
	l.before.Clock.Advance(time.Minute)
	if _, _, err := l.had.AddTerminal(ctx, uuid.Nil, l.store.ID, "other"); err != nil {
		t.Fatal(err)
	}
	later, err := l.had.Heads(ctx)
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Clone(later)
	forged[len(forged)-1] ^= 1
	for i, c := range []struct {
		witness []byte
		lost    int64
	}{{forged, 0}, {[]byte("x"), 0}, {earlier, 4}, {later, 5}, {earlier, 5}} {
		if err := l.has.Witnessed(ctx, l.terminal.ID, c.witness); err != nil {
			t.Fatal(err)
		}
		list := l.after.Exceptions(t, ledger.HQFactsLost)
		if c.lost == 0 && len(list) == 0 {
			continue
		}
		if len(list) != 1 || list[0].Amount != c.lost || !strings.Contains(list[0].Cause, "restored to 0") {
			t.Errorf("%d: %+v, want %d lost", i, list, c.lost)
		}
	}
	if err := l.had.Witnessed(ctx, l.terminal.ID, later); err != nil || len(l.before.Exceptions(t, ledger.HQFactsLost)) > 0 {
		t.Errorf("an HQ that was not restored: %v", err)
	}
}
