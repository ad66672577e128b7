package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// A cursor has a position for each of HQ's 256 shards and stands in the proven path.
// A proof too long for HQ would cut every terminal off the feed for ever, so the
// terminal must learn of it when it makes the proof.
func TestProofOfTheLongestCursor(t *testing.T) {
	terminal := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	public := terminal.Public().(ed25519.PublicKey)
	prove := func(cursor int) (wire.Proof, string, error) {
		p := wire.Proof{
			HQ: id(9), Terminal: id(1), Epoch: 2, Method: "GET", IssuedAt: at,
			Nonce: strings.Repeat("n", 64), ID: id(8).String(),
			Path: wire.PathPull + "?cursor=" + strings.Repeat("c", cursor) + "&wait=30",
		}
		token, err := wire.Prove(terminal, p)
		return p, token, err
	}
	for _, cursor := range []int{0, 1100, 1800, 4096} {
		p, token, err := prove(cursor)
		if err != nil {
			t.Fatal(err)
		}
		if err := wire.VerifyProof(token, public, p, func(string) bool { return true }); err != nil {
			t.Errorf("a cursor of %d: a proof of %d bytes: %v", cursor, len(token), err)
		}
		if _, _, err := wire.ProofOf(token); err != nil {
			t.Errorf("a cursor of %d: %v", cursor, err)
		}
	}
	if _, token, err := prove(8192); problem.CodeOf(err) != problem.ProofInvalid {
		t.Errorf("made a proof of %d bytes that HQ refuses: %v", len(token), err)
	}
}
