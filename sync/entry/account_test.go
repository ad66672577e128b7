package entry_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"testing"

	"github.com/tallystick/tallystick/sync/entry"
)

// accountBodies has one of each kind HQ writes about accounts.
func accountBodies() map[entry.Kind]any {
	moved := entry.HQTransfer{
		ID: id(1), Account: id(2), Other: id(3), Member: id(4), Cause: entry.MoveUnlink, Link: id(5), Reason: 3, By: id(6),
		Units: []entry.MovedUnit{{
			Unit: "points", Debt: 7,
			Lots: []entry.MovedLot{{Lot: id(7), Amount: 50, EarnedAt: 1_780_000_000_000, VestsAt: 1_781_000_000_000, ExpiresAt: 1_812_000_000_000}},
		}},
	}
	takes := []entry.HQTake{{Lot: id(7), Amount: 50}}
	return map[entry.Kind]any{
		entry.KindHQAccountLink: entry.HQAccountLink{
			ID: id(1), Account: id(2), Target: id(3), Kind: entry.LinkMerged, From: 1_780_000_000_000, Until: 1_790_000_000_000,
			Member: id(4), Reason: 3, By: id(6),
		},
		entry.KindHQTransferOut: moved,
		entry.KindHQTransferIn:  moved,
		entry.KindHQCorrection: entry.HQCorrection{
			ID: id(1), Batch: id(2), Row: 3, Account: id(4), Member: id(5), Unit: "points", Amount: -50,
			ExpiresAt: 1_812_000_000_000, Reason: 3, By: id(6), Takes: takes,
		},
		entry.KindHQCorrectionUndo: entry.HQCorrectionUndo{
			ID: id(1), Of: id(2), Batch: id(3), Row: 4, Account: id(5), Member: id(6), Unit: "points", Amount: 50, Takes: takes, By: id(7),
		},
		entry.KindHQBatch: entry.HQBatch{
			ID: id(1), Step: entry.BatchUndone, Rows: 17, Digest: bytes.Repeat([]byte{0xAB}, 32), Reason: 3, By: id(6),
		},
	}
}

// TestAccountBytesAreFinal compares HQ's kinds with the bytes of their first release.
func TestAccountBytesAreFinal(t *testing.T) {
	for kind, body := range accountBodies() {
		t.Run(kind.String(), func(t *testing.T) {
			raw, err := entry.Encode(envelope(kind), body)
			if err != nil {
				t.Fatal(err)
			}
			golden, text := "testdata/"+kind.String()+".hex", hex.EncodeToString(raw)+"\n"
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if text != string(want) {
				t.Errorf("bytes changed:\n%swant\n%s", text, want)
			}
		})
	}
}

func TestWordsOfLinksAndMoves(t *testing.T) {
	if got := entry.LinkKind(0).String(); got != "own" {
		t.Error(got)
	}
	if entry.LinkMoved.String() != "moved" || entry.MoveUnlink.String() != "unlink" || entry.MoveCause(9).String() != "cause_9" {
		t.Error("a word changed")
	}
}
