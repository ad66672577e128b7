package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

var encMode = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // the options are a constant of this program
	}
	return mode
}()

var decMode = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  10,
		MaxArrayElements: 16384,
		MaxMapPairs:      1024,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

// Marshal encodes a message as deterministic CBOR.
func Marshal(message any) ([]byte, error) {
	raw, err := encMode.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", message, err)
	}
	return raw, nil
}

// Unmarshal decodes a message. Bytes over MaxBody or not of the message's shape
// give problem.BatchInvalid.
func Unmarshal[T any](raw []byte) (T, error) {
	var message T
	if len(raw) > MaxBody {
		return message, problem.Newf(problem.BatchTooLarge, "%d bytes, at most %d", len(raw), MaxBody)
	}
	if err := decMode.Unmarshal(raw, &message); err != nil {
		return message, problem.Wrap(problem.BatchInvalid, err, fmt.Sprintf("not a %T", message))
	}
	return message, nil
}

// One encoder and one decoder serve all calls: both are documented to be safe for
// concurrent EncodeAll and DecodeAll.
var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
		if err != nil {
			panic(err)
		}
		return enc
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxBody), zstd.WithDecoderMaxWindow(MaxBody))
		if err != nil {
			panic(err)
		}
		return dec
	})
)

// Compress returns raw as one zstd frame.
func Compress(raw []byte) []byte { return encoder().EncodeAll(raw, nil) }

// Decompress reads zstd frames of at most MaxBody bytes once decompressed. More is
// problem.DecompressionBomb, damage problem.BatchInvalid; neither allocates more
// than the limit.
func Decompress(raw []byte) ([]byte, error) {
	out, err := decoder().DecodeAll(raw, nil)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, problem.Newf(problem.DecompressionBomb, "more than %d bytes", MaxBody)
	case err != nil:
		return nil, problem.Wrap(problem.BatchInvalid, err, "not zstd")
	case len(out) > MaxBody:
		return nil, problem.Newf(problem.DecompressionBomb, "more than %d bytes", MaxBody)
	}
	return out, nil
}

// Seal encodes message and signs the bytes for one domain. The result is the CBOR
// of a [Signed].
func Seal(signer keys.Signer, domain string, message any) ([]byte, error) {
	payload, err := Marshal(message)
	if err != nil {
		return nil, err
	}
	return Marshal(Signed{KeyID: signer.Public.ID, Payload: payload, Signature: signer.Sign(domain, payload)})
}

// Open verifies a sealed message with the statement keys of set, valid at the
// given time, and decodes it. A signature that does not verify, or a key that is
// unknown, revoked or out of its dates, gives an error of package keys.
func Open[T any](raw []byte, domain string, set keys.Set, at time.Time) (T, error) {
	var none T
	signed, err := Unmarshal[Signed](raw)
	if err != nil {
		return none, err
	}
	key, err := set.Find(keys.UseStatement, signed.KeyID)
	if err != nil {
		return none, err
	}
	if err := key.ValidAt(at); err != nil {
		return none, err
	}
	if err := key.Verify(domain, signed.Payload, signed.Signature); err != nil {
		return none, err
	}
	return Unmarshal[T](signed.Payload)
}

// exportMagic opens a journal export file.
var exportMagic = []byte("TSEXPT1\n")

// WriteExportHeader begins an export file.
func WriteExportHeader(w io.Writer) error {
	_, err := w.Write(exportMagic)
	return err
}

// WriteExportBatch appends one batch to an export file: its length as four bytes,
// big endian, then its CBOR. One over MaxBody, which no reader would take, is
// problem.BatchTooLarge.
func WriteExportBatch(w io.Writer, batch Batch) error {
	raw, err := Marshal(batch)
	if err != nil {
		return err
	}
	if len(raw) > MaxBody {
		return problem.Newf(problem.BatchTooLarge, "%d bytes, at most %d", len(raw), MaxBody)
	}
	if _, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(raw)))); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	if _, err := w.Write(raw); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}

// ReadExport calls each for every batch of an export file, in order, holding one
// at a time. A file that is no export or is cut short within a batch gives
// problem.BatchInvalid, after the whole batches before the cut have been handed over.
// One cut between two batches looks whole: the caller knows by the last head.
func ReadExport(r io.Reader, each func(Batch) error) error {
	head := make([]byte, len(exportMagic))
	if _, err := io.ReadFull(r, head); err != nil || !bytes.Equal(head, exportMagic) {
		return problem.New(problem.BatchInvalid, "the file is no Tallystick journal export")
	}
	for count := 0; ; count++ {
		var size [4]byte
		switch _, err := io.ReadFull(r, size[:]); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return problem.Wrap(problem.BatchInvalid, err, fmt.Sprintf("the file is cut short after %d batches", count))
		}
		n := binary.BigEndian.Uint32(size[:])
		if n > MaxBody {
			return problem.Newf(problem.BatchTooLarge, "batch %d says %d bytes, at most %d", count+1, n, MaxBody)
		}
		raw := make([]byte, n)
		if _, err := io.ReadFull(r, raw); err != nil {
			return problem.Wrap(problem.BatchInvalid, err, fmt.Sprintf("the file is cut short after %d batches", count))
		}
		batch, err := Unmarshal[Batch](raw)
		if err != nil {
			return err
		}
		if err := each(batch); err != nil {
			return err
		}
	}
}
