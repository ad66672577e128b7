package journal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

type testSigner struct{ key ed25519.PrivateKey }

func (s testSigner) Sign(domain string, msg []byte) []byte {
	return ed25519.Sign(s.key, append([]byte(domain+"\x00"), msg...))
}

func vectorKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("tallystick journal vectors"))
	return ed25519.NewKeyFromSeed(seed[:])
}

// vectors is the golden file: everything a second implementation needs to check
// itself. Bytes are hexadecimal.
type vectors struct {
	Seed       string         `json:"seed"`
	Public     string         `json:"public"`
	Writer     Writer         `json:"writer"`
	Entries    []vectorEntry  `json:"entries"`
	Checkpoint vectorCheck    `json:"checkpoint"`
	Segment    vectorSegment  `json:"segment"`
	HeadFile   vectorHeadFile `json:"head_file"`
}

type vectorEntry struct {
	Seq   uint64 `json:"seq"`
	Entry string `json:"entry"`
	Hash  Hash   `json:"hash"`
}

type vectorCheck struct {
	First     uint64 `json:"first"`
	Last      uint64 `json:"last"`
	Head      Hash   `json:"head"`
	Message   string `json:"message"`
	Signature string `json:"signature"`
}

type vectorSegment struct {
	Header string `json:"header"`
	Salt   uint32 `json:"salt"`
	Seal   string `json:"group_1_seal"`
	Group  string `json:"group_2_entries"`
}

type vectorHeadFile struct {
	Group  uint64 `json:"group"`
	Offset int64  `json:"offset"`
	Slot   string `json:"slot"`
}

func makeVectors() vectors {
	key := vectorKey()
	w := Writer{ID: uuid.MustParse("0192f0c4-7d5a-7cc3-98c4-dc0c0c07398f"), Epoch: 7}
	entries := [][]byte{[]byte("first"), {0xa1, 0x01, 0x02}, make([]byte, 100)}
	heads := HashRun(w, Head{}, entries)
	cp := SignCheckpoint(testSigner{key}, w, 1, Head{3, heads[2]})
	v := vectors{
		Seed: hex.EncodeToString(key.Seed()), Public: hex.EncodeToString(key.Public().(ed25519.PublicKey)), Writer: w,
		Checkpoint: vectorCheck{1, 3, cp.Head, hex.EncodeToString(cp.Message()), hex.EncodeToString(cp.Signature)},
	}
	h := header{writer: w, size: DefaultSegmentSize, index: 1, firstSeq: 1, group: 1}
	raw := make([]byte, headerSize)
	h.encodeTo(raw)
	sealed := appendFrame(nil, kindSeal, 1, 0, seal{floor: 1}.encode())
	finishGroup(sealed, headerSize, h.salt())
	var group []byte
	for i, e := range entries {
		v.Entries = append(v.Entries, vectorEntry{uint64(i + 1), hex.EncodeToString(e), heads[i]})
		group = appendFrame(group, kindEntry, 2, uint64(i+1), e)
	}
	finishGroup(group, uint32(headerSize+len(sealed)), h.salt())
	v.Segment = vectorSegment{hex.EncodeToString(raw), h.salt(), hex.EncodeToString(sealed), hex.EncodeToString(group)}
	var slot [slotSize]byte
	encodeSlot(&slot, w, sighting{group: 2, head: Head{3, heads[2]}})
	v.HeadFile = vectorHeadFile{2, slotOffset(2), hex.EncodeToString(slot[:])}
	return v
}

// TestVectors holds every layout to the golden file. Layouts are final: when this
// fails, the code is wrong, not the file.
func TestVectors(t *testing.T) {
	got, err := json.MarshalIndent(makeVectors(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "vectors.json")
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got)+"\n" {
		t.Fatalf("layouts differ from %s:\n%s", path, got)
	}
	var back vectors
	if err := json.Unmarshal(want, &back); err != nil {
		t.Fatal(err)
	}
	// Computed once by hand, without the code under test.
	sum := sha256.New()
	sum.Write([]byte("tallystick entry v1\x00"))
	sum.Write(back.Writer.ID[:])
	sum.Write([]byte{0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1})
	sum.Write(make([]byte, 32))
	sum.Write([]byte("first"))
	if Hash(sum.Sum(nil)) != back.Entries[0].Hash {
		t.Fatal("the first hash is not what the specification says")
	}
}

func TestVerifyRun(t *testing.T) {
	key := vectorKey()
	pub := key.Public().(ed25519.PublicKey)
	entries := [][]byte{[]byte("one"), []byte("two"), []byte("three"), []byte("four")}
	heads := HashRun(testWriter, Head{}, entries)
	at := func(seq uint64) Head { return Head{seq, append([]Hash{Genesis}, heads...)[seq]} }
	sign := func(first uint64, head Head) Checkpoint {
		return SignCheckpoint(testSigner{key}, testWriter, first, head)
	}
	foreign := sign(3, at(4))
	foreign.Epoch++
	for _, c := range []struct {
		name    string
		known   Head
		entries [][]byte
		cp      Checkpoint
		want    error
	}{
		{"whole", at(0), entries, sign(1, at(4)), nil},
		{"after known", at(2), entries[2:], sign(3, at(4)), nil},
		{"trimmed", at(2), entries[2:], sign(1, at(4)), nil},
		{"bare head", at(4), nil, sign(2, at(4)), nil},
		{"gap", at(1), entries[2:], sign(3, at(4)), &GapError{Want: 2, Got: 3}},
		{"other branch, bare", Head{4, Hash{9}}, nil, sign(2, at(4)), &ForkError{Seq: 4, Known: Hash{9}, Got: at(4).Hash}},
		{"other branch", Head{2, Hash{9}}, entries[2:], sign(3, at(4)), &RunError{testWriter, 3, 4, ReasonHead}},
		{"changed on the way", at(2), [][]byte{entries[2], []byte("Four")}, sign(3, at(4)), &RunError{testWriter, 3, 4, ReasonHead}},
		{"entry missing", at(2), entries[3:], sign(3, at(4)), &RunError{testWriter, 3, 4, ReasonCount}},
		{"all known", at(4), entries[2:], sign(1, at(2)), &RunError{testWriter, 1, 2, ReasonCount}},
		{"other epoch", at(2), entries[2:], foreign, &RunError{testWriter, 3, 4, ReasonWriter}},
		{"zero first", at(0), entries, sign(0, at(4)), &RunError{testWriter, 0, 4, ReasonBounds}},
		{"unsigned", at(2), entries[2:], Checkpoint{Writer: testWriter, First: 3, Last: 4, Head: heads[3]}, &SignatureError{testWriter, 4}},
	} {
		got, err := VerifyRun(testWriter, c.known, c.entries, c.cp, pub)
		if (c.want == nil) != (err == nil) || (err != nil && err.Error() != c.want.Error()) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if err == nil && len(got) > 0 && got[len(got)-1] != heads[3] {
			t.Errorf("%s: wrong heads", c.name)
		}
	}
	if err := sign(1, at(2)).Verify(pub[:8]); !errors.As(err, new(*SignatureError)) {
		t.Errorf("short key: %v", err)
	}
}

// TestG6_ForkIsProven: two branches signed by the same terminal are told from a run
// that was changed on the way.
func TestG6_ForkIsProven(t *testing.T) {
	one := HashRun(testWriter, Head{}, [][]byte{[]byte("a"), []byte("b"), []byte("c")})
	two := HashRun(testWriter, Head{}, [][]byte{[]byte("a"), []byte("x"), []byte("c")})
	for _, c := range []struct {
		name  string
		known Head
		prev  Head
		heads []Hash
		skip  int
		want  error
	}{
		{"extends", Head{1, one[0]}, Head{1, one[0]}, one[1:], 0, nil},
		{"overlaps", Head{2, one[1]}, Head{}, one, 2, nil},
		{"all known", Head{3, one[2]}, Head{}, one, 3, nil},
		{"older than known", Head{3, one[2]}, Head{}, one[:1], 1, nil},
		{"forked inside", Head{2, one[1]}, Head{}, two, 0, &ForkError{2, one[1], two[1]}},
		{"forked before", Head{2, one[1]}, Head{2, two[1]}, two[2:], 0, &ForkError{2, one[1], two[1]}},
		{"forked at the end", Head{3, one[2]}, Head{1, one[0]}, two[1:], 0, &ForkError{3, one[2], two[2]}},
		{"gap", Head{1, one[0]}, Head{2, one[1]}, one[2:], 0, &GapError{2, 3}},
	} {
		skip, err := Compare(c.known, c.prev, c.heads)
		if skip != c.skip || (c.want == nil) != (err == nil) || (err != nil && err.Error() != c.want.Error()) {
			t.Errorf("%s: %d %v, want %d %v", c.name, skip, err, c.skip, c.want)
		}
	}
}

func TestHashText(t *testing.T) {
	h := Hash{1, 2, 0xfe}
	text, _ := h.MarshalText()
	var back Hash
	if err := back.UnmarshalText(text); err != nil || back != h || h.Short() != "0102fe00" {
		t.Fatalf("%s became %v: %v", text, back, err)
	}
	for _, bad := range []string{"", "01", string(text[:62]) + "zz", string(text) + "00"} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read as a hash", bad)
		}
	}
}
