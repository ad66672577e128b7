package ingest_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// saw writes what one till was shown by another.
func saw(t *testing.T, by *books.Till, finding entry.WitnessFinding, shown, known wire.SignedHead) {
	t.Helper()
	head, err := wire.Unmarshal[wire.Head](shown.Head)
	if err != nil {
		t.Fatal(err)
	}
	by.Write(t, entry.KindWitness, entry.Witness{
		Writer: head.Terminal, Epoch: head.Epoch, Seq: head.Seq, Hash: head.Hash, Finding: finding,
		Head: shown.Head, Signature: shown.Signature, Known: known.Head, KnownSignature: known.Signature,
	})
}

func TestG6_ALaneWitnessesForHQ(t *testing.T) {
	for name, tt := range map[string]struct {
		play func(t *testing.T, lane, till, double *books.Till)
		want bool
	}{
		"what the till delivers later agrees": {func(t *testing.T, lane, till, _ *books.Till) {
			saw(t, lane, entry.WitnessSeen, till.Head(t), wire.SignedHead{})
			push(t, lane, 1, 2)
			push(t, till, 1, 10)
		}, false},
		"what the till delivered before agrees": {func(t *testing.T, lane, till, _ *books.Till) {
			push(t, till, 1, 10)
			saw(t, lane, entry.WitnessSeen, till.Head(t), wire.SignedHead{})
			push(t, lane, 1, 2)
		}, false},
		"the copy delivers what the lane saw otherwise": {func(t *testing.T, lane, till, double *books.Till) {
			saw(t, lane, entry.WitnessSeen, till.Head(t), wire.SignedHead{})
			push(t, lane, 1, 2)
			push(t, double, 1, 10)
		}, true},
		"the lane saw otherwise what the copy delivered": {func(t *testing.T, lane, till, double *books.Till) {
			push(t, double, 1, 10)
			saw(t, lane, entry.WitnessSeen, till.Head(t), wire.SignedHead{})
			push(t, lane, 1, 2)
		}, true},
		"the lane proves a fork that HQ never sees": {func(t *testing.T, lane, till, double *books.Till) {
			saw(t, lane, entry.WitnessFork, double.Head(t), till.Head(t))
			push(t, lane, 1, 2)
		}, true},
		"the lane proves a rollback": {func(t *testing.T, lane, till, double *books.Till) {
			known := till.Head(t)
			double.Entries, double.Hashes = double.Entries[:7], double.Hashes[:7]
			double.Skip(time.Hour)
			saw(t, lane, entry.WitnessRollback, double.Head(t), known)
			push(t, lane, 1, 2)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			hq := books.New(t)
			lane, till := hq.Till(t, "lane"), longTill(t, hq, 8)
			double := till.Clone()
			for _, branch := range []*books.Till{till, double} {
				account := hq.Member(t, "ann", 0)
				branch.Sell(t, account, 1000, 0)
				branch.Sell(t, account, 1000, 0)
			}
			tt.play(t, lane, till, double)
			if got := hq.Quarantined(till.ID); got != tt.want {
				t.Errorf("in quarantine: %t, want %t", got, tt.want)
			}
			if list := hq.Exceptions(t, ledger.Fork); (len(list) > 0) != tt.want || tt.want && list[0].Terminal != till.ID {
				t.Errorf("exceptions: %+v", list)
			}
			if hq.Quarantined(lane.ID) {
				t.Error("the witness is in quarantine")
			}
		})
	}
}

func TestG6_ATerminalIsToldWhatOthersSawOfIt(t *testing.T) {
	hq := books.New(t)
	lane, till := hq.Till(t, "lane"), longTill(t, hq, 8)
	push(t, till, 1, 5)
	shown := till.Head(t)
	saw(t, lane, entry.WitnessSeen, shown, wire.SignedHead{})
	push(t, lane, 1, 2)
	hello := func() wire.Welcome {
		t.Helper()
		welcome, err := hq.Ingest.Hello(t.Context(), till.Terminal(), wire.Hello{
			V: wire.Version, Terminal: till.ID, Epoch: 1, FirstSeq: 1, HeadSeq: 5, HeadHash: till.Hashes[4][:],
		}, hq.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return welcome
	}
	if got := hello().Witnessed; !bytes.Equal(got.Head, shown.Head) || !bytes.Equal(got.Signature, shown.Signature) {
		t.Errorf("told %x", got.Head)
	}
	push(t, till, 6, 8)
	if got := hello().Witnessed; len(got.Head) != 0 {
		t.Error("what the till has delivered since is still held against it")
	}
}

func TestG6_AFalseWitnessAccusesNobody(t *testing.T) {
	for name, forge := range map[string]func(shown, known wire.SignedHead) (wire.SignedHead, wire.SignedHead){
		"the head is not signed": func(shown, known wire.SignedHead) (wire.SignedHead, wire.SignedHead) {
			shown.Signature = make([]byte, 64)
			return shown, known
		},
		"the other is not signed": func(shown, known wire.SignedHead) (wire.SignedHead, wire.SignedHead) {
			known.Signature = shown.Signature
			return shown, known
		},
		"both are the same": func(shown, _ wire.SignedHead) (wire.SignedHead, wire.SignedHead) { return shown, shown },
		"the other is bytes": func(shown, _ wire.SignedHead) (wire.SignedHead, wire.SignedHead) {
			return shown, wire.SignedHead{Head: []byte("?"), Signature: make([]byte, 64)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			hq := books.New(t)
			lane, till := hq.Till(t, "lane"), longTill(t, hq, 8)
			double := till.Clone()
			account := hq.Member(t, "ann", 0)
			till.Sell(t, account, 1000, 0)
			double.Sell(t, account, 1000, 0)
			shown, known := forge(double.Head(t), till.Head(t))
			saw(t, lane, entry.WitnessFork, shown, known)
			push(t, lane, 1, 2)
			if hq.Quarantined(till.ID) || len(hq.Exceptions(t, ledger.Fork)) != 0 {
				t.Error("the till was accused")
			}
			if len(hq.Exceptions(t, ledger.InvalidEntry)) != 1 {
				t.Error("nobody is told of the false witness")
			}
		})
	}
}
