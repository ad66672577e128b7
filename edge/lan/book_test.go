package lan_test

import (
	"crypto/sha256"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/edge/lan"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// TestG6_NoHonestLaneIsAccused lets one lane show heads and proofs that are lost,
// repeated and overtaken in any way.
func TestG6_NoHonestLaneIsAccused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := uuid.New()
		book := lan.NewBook()
		epoch, seq, hlc := uint32(1), uint64(1), uint64(0)
		var sent []message
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				seq += uint64(rapid.IntRange(1, 5).Draw(t, "entries"))
			case 1:
				if rapid.IntRange(0, 9).Draw(t, "enrols again") == 0 {
					epoch, seq = epoch+1, 1
				}
			case 2:
				hlc++
				sent = append(sent, message{shown: honest(id, epoch, seq, hlc)})
			case 3:
				hlc++
				proof := honest(id, epoch, uint64(rapid.IntRange(1, int(seq)).Draw(t, "proof")), 0)
				sent = append(sent, message{honest(id, epoch, seq, hlc), &proof})
			default:
				if len(sent) == 0 {
					continue
				}
				got := rapid.SampledFrom(sent).Draw(t, "arrives")
				found, _ := book.Take(lan.Witnessed{Head: got.shown})
				if found.Finding == entry.WitnessSeen && got.proof != nil {
					found, _ = book.Prove(lan.Witnessed{Head: *got.proof}, lan.Witnessed{Head: got.shown})
				}
				if found.Finding != entry.WitnessSeen {
					t.Fatalf("%+v was found a %s of %+v", got, found.Finding, found.Known.Head)
				}
			}
		}
	})
}

// message is what a lane sends: its head, and maybe a proof.
type message struct {
	shown wire.Head
	proof *wire.Head
}

// honest is the head of a journal whose hash follows from epoch and length.
func honest(id uuid.UUID, epoch uint32, seq, hlc uint64) wire.Head {
	hash := sha256.Sum256([]byte{byte(epoch), byte(seq >> 8), byte(seq)})
	return wire.Head{Terminal: id, Epoch: epoch, Seq: seq, Hash: hash[:], HLC: hlc}
}

func TestG6_AnOldEpochIsARollback(t *testing.T) {
	id := uuid.New()
	book := lan.NewBook()
	book.Take(lan.Witnessed{Head: honest(id, 2, 7, 10)})
	if found, news := book.Take(lan.Witnessed{Head: honest(id, 1, 90, 11)}); found.Finding != entry.WitnessRollback || !news {
		t.Errorf("found %s, news %t", found.Finding, news)
	}
	if _, news := book.Take(lan.Witnessed{Head: honest(id, 1, 91, 12)}); news {
		t.Error("the same finding is news again")
	}
	book.Take(lan.Witnessed{Head: honest(id, 3, 1, 13)})
	if _, had := book.Found(id); had {
		t.Error("it has enrolled again and is still accused")
	}
}
