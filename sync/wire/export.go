package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

// Magic numbers of export files: the first form had batches only.
var (
	exportMagic    = []byte("TSEXPT2\n")
	oldExportMagic = []byte("TSEXPT1\n")
)

// DomainExport is the domain of the signature that ends an export file.
const DomainExport = "tallystick export v1"

// ExportRecord is one record of an export file; one field is set. Enrolment is a
// sealed Enrolled, Trailer the last record.
type ExportRecord struct {
	Enrolment []byte         `cbor:"1,keyasint,omitempty"`
	Batch     *Batch         `cbor:"2,keyasint,omitempty"`
	Trailer   *ExportTrailer `cbor:"3,keyasint,omitempty"`
}

// ExportTrailer ends an export file: what the file holds, signed by the terminal.
// Head is the hash of the last entry, empty when there is none.
type ExportTrailer struct {
	Terminal  uuid.UUID `cbor:"1,keyasint"`
	Epoch     uint32    `cbor:"2,keyasint"`
	Batches   uint64    `cbor:"3,keyasint"`
	Entries   uint64    `cbor:"4,keyasint"`
	Last      uint64    `cbor:"5,keyasint"`
	Head      []byte    `cbor:"6,keyasint"`
	Signature []byte    `cbor:"7,keyasint,omitempty"`
}

// Verify checks the signature by the terminal's key of that epoch.
func (t ExportTrailer) Verify(key ed25519.PublicKey) error {
	signature := t.Signature
	t.Signature = nil
	raw, err := Marshal(t)
	if err != nil {
		return err
	}
	if err := keys.Verify(key, DomainExport, raw, signature); err != nil {
		return problem.Wrap(problem.BatchSignature, err, "the end of the file is not signed by this terminal's key")
	}
	return nil
}

// ExportWriter writes an export file.
type ExportWriter struct {
	w       io.Writer
	trailer ExportTrailer
}

// NewExport begins an export file of one epoch of a terminal. Enrolment is its
// sealed Enrolled, or empty.
func NewExport(w io.Writer, terminal uuid.UUID, epoch uint32, enrolment []byte) (*ExportWriter, error) {
	if _, err := w.Write(exportMagic); err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	x := &ExportWriter{w: w, trailer: ExportTrailer{Terminal: terminal, Epoch: epoch}}
	if len(enrolment) == 0 {
		return x, nil
	}
	return x, x.write(ExportRecord{Enrolment: enrolment})
}

// Batch appends a batch. One over MaxBody, which no reader would take, is
// problem.BatchTooLarge.
func (x *ExportWriter) Batch(b Batch) error {
	if err := x.write(ExportRecord{Batch: &b}); err != nil {
		return err
	}
	x.trailer.add(b)
	return nil
}

// End signs what the file holds with the terminal's key and appends that.
func (x *ExportWriter) End(signer keys.Signer) error {
	raw, err := Marshal(x.trailer)
	if err != nil {
		return err
	}
	x.trailer.Signature = signer.Sign(DomainExport, raw)
	return x.write(ExportRecord{Trailer: &x.trailer})
}

// write appends a record: its length as four bytes, big endian, then its CBOR.
func (x *ExportWriter) write(record ExportRecord) error {
	raw, err := Marshal(record)
	if err != nil {
		return err
	}
	if len(raw) > MaxBody {
		return problem.Newf(problem.BatchTooLarge, "%d bytes, at most %d", len(raw), MaxBody)
	}
	if _, err := x.w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...)); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}

func (t *ExportTrailer) add(b Batch) {
	t.Batches++
	t.Entries += uint64(len(b.Entries))
	t.Last, t.Head = b.Last(), b.Head
}

// ReadExport calls each for every record of an export file but the trailer, in
// order, holding one at a time, and returns the trailer, whose signature the caller
// verifies; nil for a file of the first form, which had none, so that nobody can tell
// whether it is whole. A file that is no export, or has more or less in it than its
// trailer says, gives problem.BatchInvalid, one that is cut short
// problem.ExportIncomplete, after what came before has been handed over.
func ReadExport(r io.Reader, each func(ExportRecord) error) (*ExportTrailer, error) {
	head := make([]byte, len(exportMagic))
	_, err := io.ReadFull(r, head)
	old := bytes.Equal(head, oldExportMagic)
	if err != nil || !old && !bytes.Equal(head, exportMagic) {
		return nil, problem.New(problem.BatchInvalid, "the file is no Tallystick journal export")
	}
	var sum ExportTrailer
	for {
		raw, err := readRecord(r, sum.Batches)
		if errors.Is(err, errEnd) && old {
			return nil, nil //nolint:nilnil // the first form has no trailer
		}
		if errors.Is(err, errEnd) {
			return nil, problem.Newf(problem.ExportIncomplete, "the file ends after %d batches and %d entries without saying that this is all", sum.Batches, sum.Entries)
		}
		if err != nil {
			return nil, err
		}
		record, err := exportRecord(raw, old)
		if err != nil {
			return nil, err
		}
		if record.Trailer != nil {
			return record.Trailer, endOfExport(r, sum, *record.Trailer)
		}
		if record.Batch != nil {
			sum.add(*record.Batch)
		}
		if err := each(record); err != nil {
			return nil, err
		}
	}
}

func exportRecord(raw []byte, old bool) (ExportRecord, error) {
	if !old {
		return Unmarshal[ExportRecord](raw)
	}
	batch, err := Unmarshal[Batch](raw)
	return ExportRecord{Batch: &batch}, err
}

// endOfExport checks a trailer against what was read.
func endOfExport(r io.Reader, sum, trailer ExportTrailer) error {
	if n, _ := r.Read(make([]byte, 1)); n > 0 {
		return problem.New(problem.BatchInvalid, "the file goes on after its end")
	}
	if sum.Batches != trailer.Batches || sum.Entries != trailer.Entries || sum.Last != trailer.Last || !bytes.Equal(sum.Head, trailer.Head) {
		return problem.Newf(problem.BatchInvalid, "the file holds %d entries in %d batches, its end speaks of %d in %d",
			sum.Entries, sum.Batches, trailer.Entries, trailer.Batches)
	}
	return nil
}

// errEnd means that a file ends between two records.
var errEnd = errors.New("the file ends")

// readRecord reads one record, or returns errEnd.
func readRecord(r io.Reader, batches uint64) ([]byte, error) {
	cut := func(err error) error {
		return problem.Wrap(problem.ExportIncomplete, err, fmt.Sprintf("the file is cut short after %d batches", batches))
	}
	var size [4]byte
	switch _, err := io.ReadFull(r, size[:]); {
	case errors.Is(err, io.EOF):
		return nil, errEnd
	case err != nil:
		return nil, cut(err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > MaxBody {
		return nil, problem.Newf(problem.BatchTooLarge, "a record after %d batches says %d bytes, at most %d", batches, n, MaxBody)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, cut(fmt.Errorf("read record: %w", err))
	}
	return raw, nil
}
