package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// A length that is negative in 32 bits must not reach make; run
// with GOARCH=386 too.
func TestReadExportOfImpossibleLengths(t *testing.T) {
	for _, size := range []string{"\x00\x20\x00\x01", "\x80\x00\x00\x00", "\xff\xff\xff\xff"} {
		for _, magic := range []string{"TSEXPT1\n", "TSEXPT2\n"} {
			_, err := wire.ReadExport(strings.NewReader(magic+size+"abc"), func(wire.ExportRecord) error { return nil })
			if problem.CodeOf(err) != problem.BatchTooLarge {
				t.Errorf("length %x: %v", size, err)
			}
		}
	}
}

// What is exported must be read again.
func TestAnExportRefusesABatchNobodyReads(t *testing.T) {
	var file bytes.Buffer
	x, err := wire.NewExport(&file, id(1), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	began := file.Len()
	big := wire.Batch{Entries: [][]byte{make([]byte, wire.MaxBody)}}
	if err := x.Batch(big); problem.CodeOf(err) != problem.BatchTooLarge || file.Len() != began {
		t.Errorf("wrote %d bytes, %v", file.Len(), err)
	}
}

// Frames that do not state their size are added up too.
func TestDecompressAddsUpFramesOfUnknownSize(t *testing.T) {
	var frame bytes.Buffer
	w, err := zstd.NewWriter(&frame, zstd.WithWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, wire.MaxBody/2)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := wire.Decompress(bytes.Repeat(frame.Bytes(), 2)); err != nil || len(out) != wire.MaxBody {
		t.Errorf("two halves: %d bytes, %v", len(out), err)
	}
	for _, n := range []int{3, 5000} {
		if _, err := wire.Decompress(bytes.Repeat(frame.Bytes(), n)); problem.CodeOf(err) != problem.DecompressionBomb {
			t.Errorf("%d frames: %v", n, err)
		}
	}
}
