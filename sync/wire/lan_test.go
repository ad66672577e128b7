package wire_test

import (
	"bytes"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

func headSigner(tb testing.TB) keys.Signer {
	tb.Helper()
	signer, err := keys.NewSigner(keys.Public{ID: 1}, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		tb.Fatal(err)
	}
	return signer
}

func TestHeadsAreReadOnlyWhenWholeAndSigned(t *testing.T) {
	signer := headSigner(t)
	whole := wire.Head{V: wire.Version, Terminal: uuid.New(), Epoch: 1, Seq: 9, Hash: bytes.Repeat([]byte{1}, 32), HLC: 5}
	signed, err := wire.SignHead(signer, whole)
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.OpenHead(signer.Public.Key, signed)
	if err != nil || got.Seq != 9 || got.Terminal != whole.Terminal {
		t.Fatalf("%+v, %v", got, err)
	}
	changed := wire.SignedHead{Head: bytes.Clone(signed.Head), Signature: signed.Signature}
	changed.Head[len(changed.Head)-1] ^= 1
	if _, err := wire.OpenHead(signer.Public.Key, changed); problem.CodeOf(err) != problem.ProofInvalid {
		t.Errorf("a changed head: %v", err)
	}
	for name, head := range map[string]wire.Head{
		"no entries": {V: 1, Hash: whole.Hash}, "short hash": {V: 1, Seq: 1, Hash: whole.Hash[:31]},
	} {
		signed, err := wire.SignHead(signer, head)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.OpenHead(signer.Public.Key, signed); problem.CodeOf(err) != problem.InvalidBody {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLANMessages(f *testing.F) {
	signer := headSigner(f)
	signed, err := wire.SignHead(signer, wire.Head{V: 1, Seq: 1, Hash: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range []any{
		wire.HeadRequest{V: 1, Mine: signed, Proof: signed},
		wire.HeadAnswer{V: 1, Mine: signed, Known: signed},
		wire.BorrowRequest{V: 1, Right: uuid.New(), Unit: "points", Amount: 5},
		wire.AuthoriseRequest{V: 1, Unit: "points", Amount: 5},
	} {
		raw, err := wire.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if asked, err := wire.Unmarshal[wire.HeadRequest](raw); err == nil {
			if head, err := wire.OpenHead(signer.Public.Key, asked.Mine); err == nil && (head.Seq == 0 || len(head.Hash) != 32) {
				t.Errorf("read %+v", head)
			}
		}
		_, _ = wire.Unmarshal[wire.HeadAnswer](raw)
		_, _ = wire.Unmarshal[wire.BorrowRequest](raw)
		_, _ = wire.Unmarshal[wire.BorrowAnswer](raw)
		_, _ = wire.Unmarshal[wire.AuthoriseRequest](raw)
		_, _ = wire.Unmarshal[wire.PresentRequest](raw)
	})
}
