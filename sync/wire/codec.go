package wire

import (
	"errors"
	"fmt"
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
