package auditpack

import (
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"
)

// record is one item of a journal's file, which is a CBOR sequence (RFC 8742): the head,
// the entries, and the checkpoint. One field is set.
type record struct {
	Head       *headRecord       `cbor:"1,keyasint,omitempty"`
	Entry      []byte            `cbor:"2,keyasint,omitempty"`
	Checkpoint *checkpointRecord `cbor:"3,keyasint,omitempty"`
}

type headRecord struct {
	Terminal []byte `cbor:"1,keyasint"`
	Epoch    uint32 `cbor:"2,keyasint"`
	Key      []byte `cbor:"3,keyasint,omitempty"` // Ed25519, of this epoch
}

type checkpointRecord struct {
	First     uint64 `cbor:"1,keyasint"`
	Last      uint64 `cbor:"2,keyasint"`
	Head      []byte `cbor:"3,keyasint"`
	Signature []byte `cbor:"4,keyasint"`
}

type records struct{ encoder *cbor.Encoder }

func newRecords(w io.Writer) records {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // the options are a constant of this program
	}
	return records{mode.NewEncoder(w)}
}

func (r records) write(x record) error {
	if err := r.encoder.Encode(x); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}
