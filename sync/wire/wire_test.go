package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

var at = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func id(b byte) uuid.UUID { return uuid.UUID{0: b, 15: b} }

func signer(t testing.TB, keyID uint8) keys.Signer {
	t.Helper()
	s, err := keys.NewSigner(keys.Public{
		ID: keyID, Use: keys.UseStatement, NotBefore: at.Add(-time.Hour), NotAfter: at.Add(time.Hour),
	}, bytes.Repeat([]byte{keyID}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func batch() wire.Batch {
	return wire.Batch{
		V: 1, Terminal: id(1), Epoch: 1, First: 5, Prev: make([]byte, 32),
		Entries: [][]byte{{1, 2}, {3}}, Head: make([]byte, 32), Signature: make([]byte, 64),
	}
}

func TestMessagesRoundTrip(t *testing.T) {
	raw, err := wire.Marshal(batch())
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.Unmarshal[wire.Batch](raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(batch(), got); diff != "" || got.Last() != 6 {
		t.Error(diff, got.Last())
	}
	plain, err := wire.Decompress(wire.Compress(raw))
	if err != nil || !bytes.Equal(plain, raw) {
		t.Error("compression lost something", err)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	good, _ := wire.Marshal(batch())
	tests := []struct {
		name string
		raw  []byte
		want problem.Code
	}{
		{"nothing", nil, problem.BatchInvalid},
		{"cut short", good[:len(good)-1], problem.BatchInvalid},
		{"trailing bytes", append(bytes.Clone(good), 0), problem.BatchInvalid},
		{"another shape", []byte{0x63, 'a', 'b', 'c'}, problem.BatchInvalid},
		{"a billion elements", []byte{0x9A, 0x3B, 0x9A, 0xCA, 0x00}, problem.BatchInvalid},
		{"too large", make([]byte, wire.MaxBody+1), problem.BatchTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := wire.Unmarshal[wire.Batch](tt.raw); problem.CodeOf(err) != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestDecompressionBomb(t *testing.T) {
	var bomb bytes.Buffer
	w, err := zstd.NewWriter(&bomb)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 64 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	frames := bytes.Repeat(wire.Compress(make([]byte, wire.MaxBody)), 3)
	for name, raw := range map[string][]byte{"one stream": bomb.Bytes(), "several frames": frames} {
		if _, err := wire.Decompress(raw); problem.CodeOf(err) != problem.DecompressionBomb {
			t.Errorf("%s of %d bytes: got %v", name, len(raw), err)
		}
	}
	if _, err := wire.Decompress([]byte("not zstd at all")); problem.CodeOf(err) != problem.BatchInvalid {
		t.Errorf("got %v", err)
	}
}

func TestSealedMessages(t *testing.T) {
	s := signer(t, 3)
	set := keys.Set{Version: 1, Keys: []keys.Public{s.Public}}
	receipt := wire.Receipt{V: 1, HQ: id(9), Terminal: id(1), Epoch: 1, Seq: 7, Hash: make([]byte, 32)}
	raw, err := wire.Seal(s, wire.DomainReceipt, receipt)
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.Open[wire.Receipt](raw, wire.DomainReceipt, set, at)
	if err != nil || !cmp.Equal(got, receipt) {
		t.Fatalf("%+v, %v", got, err)
	}
	revoked := s.Public
	revoked.RevokedAt = at
	tests := []struct {
		name   string
		raw    []byte
		domain string
		set    keys.Set
		at     time.Time
		want   error
	}{
		{"another domain", raw, wire.DomainWelcome, set, at, keys.ErrBadSignature},
		{"another key of that id", raw, wire.DomainReceipt, keys.Set{Keys: []keys.Public{func() keys.Public {
			p := signer(t, 4).Public
			p.ID = 3
			return p
		}()}}, at, keys.ErrBadSignature},
		{"unknown key", raw, wire.DomainReceipt, keys.Set{}, at, keys.ErrUnknownKey},
		{"pass key", raw, wire.DomainReceipt, keys.Set{Keys: []keys.Public{func() keys.Public {
			p := s.Public
			p.Use = keys.UsePass
			return p
		}()}}, at, keys.ErrUnknownKey},
		{"revoked key", raw, wire.DomainReceipt, keys.Set{Keys: []keys.Public{revoked}}, at, keys.ErrKeyRevoked},
		{"before its dates", raw, wire.DomainReceipt, set, at.Add(-2 * time.Hour), keys.ErrKeyNotYet},
		{"after its dates", raw, wire.DomainReceipt, set, at.Add(2 * time.Hour), keys.ErrKeyExpired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := wire.Open[wire.Receipt](tt.raw, tt.domain, tt.set, tt.at); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	for i := range raw {
		bent := bytes.Clone(raw)
		bent[i] ^= 1
		if _, err := wire.Open[wire.Receipt](bent, wire.DomainReceipt, set, at); err == nil {
			t.Fatalf("a flipped bit in byte %d is not seen", i)
		}
	}
}

// oldExport is a file as the first release wrote it.
func oldExport(t *testing.T, batches int) []byte {
	t.Helper()
	raw, err := wire.Marshal(batch())
	if err != nil {
		t.Fatal(err)
	}
	file := []byte("TSEXPT1\n")
	for range batches {
		file = append(binary.BigEndian.AppendUint32(file, uint32(len(raw))), raw...)
	}
	return file
}

// An export says at its end what it holds: cut anywhere, or with a batch taken out,
// it is not taken for whole. One of the first form cannot say so.
func TestExportFile(t *testing.T) {
	var file bytes.Buffer
	x, err := wire.NewExport(&file, id(1), 1, []byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	var ends []int
	for range 3 {
		if err := x.Batch(batch()); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, file.Len())
	}
	if err := x.End(signer(t, 7)); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	count := func(raw []byte) (n int, trailer *wire.ExportTrailer, err error) {
		trailer, err = wire.ReadExport(bytes.NewReader(raw), func(r wire.ExportRecord) error {
			if r.Batch != nil {
				n++
			}
			return nil
		})
		return n, trailer, err
	}
	n, trailer, err := count(whole)
	if n != 3 || err != nil || trailer == nil || trailer.Entries != 6 || trailer.Verify(signer(t, 7).Public.Key) != nil {
		t.Fatalf("read %d batches, %+v, %v", n, trailer, err)
	}
	if err := trailer.Verify(signer(t, 8).Public.Key); problem.CodeOf(err) != problem.BatchSignature {
		t.Errorf("signed by another key: %v", err)
	}
	trailer.Entries++
	if err := trailer.Verify(signer(t, 7).Public.Key); problem.CodeOf(err) != problem.BatchSignature {
		t.Errorf("a changed trailer: %v", err)
	}
	for cut := len("TSEXPT2\n"); cut < len(whole); cut++ {
		if _, _, err := count(whole[:cut]); problem.CodeOf(err) != problem.ExportIncomplete {
			t.Fatalf("cut at %d of %d: %v", cut, len(whole), err)
		}
	}
	less := append(bytes.Clone(whole[:ends[0]]), whole[ends[1]:]...)
	for name, raw := range map[string][]byte{"a batch is missing": less, "something follows": append(bytes.Clone(whole), 0), "no export": []byte("TSEXPT3\nxxxx")} {
		if _, _, err := count(raw); problem.CodeOf(err) != problem.BatchInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	old := oldExport(t, 3)
	if n, trailer, err := count(old); n != 3 || trailer != nil || err != nil {
		t.Errorf("the first form: read %d batches, %v", n, err)
	}
	if n, _, err := count(old[:len(old)-1]); n != 2 || problem.CodeOf(err) != problem.ExportIncomplete {
		t.Errorf("the first form, cut short: read %d batches, %v", n, err)
	}
}

func TestProof(t *testing.T) {
	terminal := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	public := terminal.Public().(ed25519.PublicKey)
	good := wire.Proof{
		HQ: id(9), Terminal: id(1), Epoch: 2, Method: "POST", Path: "/sync/v1/push?x=1",
		Nonce: "n1", ID: "j1", IssuedAt: at, Body: []byte("body"),
	}
	fresh := func(nonce string) bool { return nonce == "n1" }
	prove := func(change func(*wire.Proof)) string {
		p := good
		change(&p)
		text, err := wire.Prove(terminal, p)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	token := prove(func(*wire.Proof) {})
	if err := wire.VerifyProof(token, public, good, fresh); err != nil {
		t.Fatal(err)
	}
	if who, epoch, err := wire.ProofOf(token); who != id(1) || epoch != 2 || err != nil {
		t.Errorf("proof of %s %d, %v", who, epoch, err)
	}
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	stolen, _ := wire.Prove(other, good)
	tests := []struct {
		name  string
		token string
		want  problem.Code
	}{
		{"none", "", problem.ProofInvalid},
		{"too long", strings.Repeat("x", 9000), problem.ProofInvalid},
		{"another key", stolen, problem.ProofInvalid},
		{"alg none", unsigned(t, token, "none"), problem.ProofInvalid},
		{"alg HS256", unsigned(t, token, "HS256"), problem.ProofInvalid},
		{"another terminal", prove(func(p *wire.Proof) { p.Terminal = id(3) }), problem.ProofInvalid},
		{"another epoch", prove(func(p *wire.Proof) { p.Epoch = 1 }), problem.ProofInvalid},
		{"another HQ", prove(func(p *wire.Proof) { p.HQ = id(3) }), problem.ProofInvalid},
		{"another method", prove(func(p *wire.Proof) { p.Method = "GET" }), problem.ProofInvalid},
		{"another path", prove(func(p *wire.Proof) { p.Path = "/sync/v1/pull" }), problem.ProofInvalid},
		{"another body", prove(func(p *wire.Proof) { p.Body = []byte("bodY") }), problem.ProofInvalid},
		{"no id", prove(func(p *wire.Proof) { p.ID = "" }), problem.ProofInvalid},
		{"no nonce", prove(func(p *wire.Proof) { p.Nonce = "" }), problem.ProofNonce},
		{"old nonce", prove(func(p *wire.Proof) { p.Nonce = "n0" }), problem.ProofNonce},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := wire.VerifyProof(tt.token, public, good, fresh); problem.CodeOf(err) != tt.want || err == nil {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	t.Run("a clock of 1970 is no obstacle", func(t *testing.T) {
		text := prove(func(p *wire.Proof) { p.IssuedAt = time.Unix(0, 0) })
		if err := wire.VerifyProof(text, public, good, fresh); err != nil {
			t.Error(err)
		}
	})
}

// unsigned swaps the algorithm in the header and drops the signature.
func unsigned(t *testing.T, token, alg string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	var header map[string]any
	if err := json.Unmarshal(raw, &header); err != nil {
		t.Fatal(err)
	}
	header["alg"] = alg
	raw, _ = json.Marshal(header)
	return base64.RawURLEncoding.EncodeToString(raw) + "." + parts[1] + "."
}

func FuzzUnmarshal(f *testing.F) {
	raw, _ := wire.Marshal(batch())
	f.Add(raw)
	page, _ := wire.Marshal(wire.FeedPage{V: 1, HQ: id(1), Items: []wire.Item{{Kind: wire.ItemMember, ID: id(2), Version: 1, Body: []byte{0xA0}}}})
	f.Add(page)
	f.Add(wire.Compress(raw))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if b, err := wire.Unmarshal[wire.Batch](raw); err == nil {
			if _, err := wire.Marshal(b); err != nil {
				t.Fatal(err)
			}
		}
		if p, err := wire.Unmarshal[wire.FeedPage](raw); err == nil {
			for _, item := range p.Items {
				_, _ = wire.Unmarshal[wire.Member](item.Body)
				_, _ = wire.Unmarshal[wire.VoucherState](item.Body)
			}
		}
		if plain, err := wire.Decompress(raw); err == nil && len(plain) > wire.MaxBody {
			t.Fatal("over the limit")
		}
		_, _ = wire.ReadExport(bytes.NewReader(raw), func(wire.ExportRecord) error { return nil })
		_, _, _ = wire.ProofOf(string(raw))
	})
}
