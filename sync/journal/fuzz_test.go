package journal

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/platter"
)

func fixHeaderSum(b []byte) {
	binary.BigEndian.PutUint32(b[124:], crc32.Checksum(b[:124], castagnoli))
}

// fuzzedSegment bounds the size a fuzzed header claims.
const fuzzedSegment = 64 << 10

// sizeAt is where a header has its size.
const sizeAt = 12

// smallSegment lowers the size in a header to what a fuzzed journal may have. A header
// that was right before stays right.
func smallSegment(b []byte) {
	if len(b) < headerSize {
		return
	}
	if size := binary.BigEndian.Uint32(b[sizeAt:]); size > fuzzedSegment {
		good := binary.BigEndian.Uint32(b[124:]) == crc32.Checksum(b[:124], castagnoli)
		binary.BigEndian.PutUint32(b[sizeAt:], fuzzedSegment)
		if good {
			fixHeaderSum(b)
		}
	}
}

// FuzzRecover opens arbitrary bytes as the segments of a journal. Whatever they are,
// opening ends with a verdict; and a journal that opens takes an entry, and holds the
// same after it is opened again.
func FuzzRecover(f *testing.F) {
	whole := make([]byte, 4096)
	h := header{writer: testWriter, size: 4096, index: 1, firstSeq: 1, group: 1}
	h.encodeTo(whole)
	first := appendFrame(nil, kindSeal, 1, 0, seal{floor: 1}.encode())
	finishGroup(first, headerSize, h.salt())
	second := appendFrame(nil, kindEntry, 2, 1, []byte("one"))
	second = appendFrame(second, kindEntry, 2, 2, []byte("two"))
	finishGroup(second, uint32(headerSize+len(first)), h.salt())
	copy(whole[headerSize:], append(first, second...))
	f.Add(whole, []byte{}, true)
	f.Add(whole[:300], make([]byte, 4096), false)
	f.Add(make([]byte, 4096), whole, true)
	f.Add([]byte("TALLYJNL"), []byte("TJF1TJF1TJF1TJF1"), false)
	f.Fuzz(func(t *testing.T, one, two []byte, fix bool) {
		// Opening completes a segment to the size it claims. Sizes up to the limit of
		// 64 MiB are tested elsewhere; here they would leave time for few inputs.
		smallSegment(one)
		smallSegment(two)
		if fix && len(one) >= headerSize {
			fixHeaderSum(one)
		}
		d := newSimDisk()
		d.Files[segmentName(1)] = &platter.File{Data: one}
		if len(two) > 0 {
			d.Files[segmentName(2)] = &platter.File{Data: two}
		}
		ctx := context.Background()
		j, err := Open(ctx, "", testWriter, WithFS(d), WithSegmentSize(4096))
		if err != nil {
			if !isDamage(err) {
				t.Fatalf("no verdict: %v", err)
			}
			return
		}
		pos := mustAppend(t, j, []byte("new"))
		mustClose(t, j)
		j = openSim(t, d, 4096)
		defer mustClose(t, j)
		if j.Head() != pos {
			t.Fatalf("head %v, want %v", j.Head(), pos)
		}
		last := Head{Seq: j.First() - 1}
		if err := j.Each(ctx, j.First(), func(at Head, _ []byte) error { last = at; return nil }); err != nil || last != pos {
			t.Fatalf("read up to %v, want %v: %v", last, pos, err)
		}
	})
}

// FuzzVerifyRun checks arbitrary runs: only the signed entries after the known head
// are accepted.
func FuzzVerifyRun(f *testing.F) {
	key := vectorKey()
	pub := key.Public().(ed25519.PublicKey)
	entries := [][]byte{[]byte("one"), []byte("two"), []byte("three")}
	heads := HashRun(testWriter, Head{}, entries)
	good := SignCheckpoint(testSigner{key}, testWriter, 2, Head{3, heads[2]})
	f.Add([]byte("two"), []byte("three"), uint64(1), uint64(2), uint64(3), good.Head[:], good.Signature)
	f.Add([]byte("two"), []byte("tree"), uint64(1), uint64(2), uint64(3), good.Head[:], good.Signature)
	f.Add([]byte("two"), []byte("three"), uint64(0), uint64(1), uint64(1<<63), good.Head[:], []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte, known, first, last uint64, head, signature []byte) {
		cp := Checkpoint{Writer: testWriter, First: first, Last: last, Signature: signature}
		copy(cp.Head[:], head)
		at := Head{Seq: known}
		if known > 0 && known <= 3 {
			at.Hash = heads[known-1]
		}
		got, err := VerifyRun(testWriter, at, [][]byte{a, b}, cp, pub)
		valid := known == 1 && string(a) == "two" && string(b) == "three" && first == 2 && last == 3 &&
			cp.Head == good.Head && string(signature) == string(good.Signature)
		if (err == nil) != valid {
			t.Fatalf("accepted %v, want %v: %v", err == nil, valid, err)
		}
		if err == nil && got[1] != good.Head {
			t.Fatal("wrong heads")
		}
		var run *RunError
		var gap *GapError
		var sig *SignatureError
		if err != nil && !errors.As(err, &run) && !errors.As(err, &gap) && !errors.As(err, &sig) {
			t.Fatalf("untyped error %v", err)
		}
	})
}
