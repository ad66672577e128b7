package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/fxamacker/cbor/v2"
)

// lane is one journal: a terminal under one epoch.
type lane struct {
	terminal string // hex
	epoch    uint32
}

// journal is what is known of a checked one.
type journal struct {
	lane
	name   string
	count  uint64
	hashes [][32]byte // that of entry n at n−1
}

type record struct {
	Head       *headRecord       `cbor:"1,keyasint"`
	Entry      []byte            `cbor:"2,keyasint"`
	Checkpoint *checkpointRecord `cbor:"3,keyasint"`
}

type headRecord struct {
	Terminal []byte `cbor:"1,keyasint"`
	Epoch    uint32 `cbor:"2,keyasint"`
	Key      []byte `cbor:"3,keyasint"`
}

type checkpointRecord struct {
	First     uint64 `cbor:"1,keyasint"`
	Last      uint64 `cbor:"2,keyasint"`
	Head      []byte `cbor:"3,keyasint"`
	Signature []byte `cbor:"4,keyasint"`
}

var decoding = func() cbor.DecMode {
	mode, err := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 8, MaxArrayElements: 4096, MaxMapPairs: 64}.DecMode()
	if err != nil {
		panic(err) // the options are a constant of this program
	}
	return mode
}()

// walk reads a journal's file and hands on each entry with its number.
func (p *pack) walk(name string, each func(head headRecord, n uint64, raw []byte) error) (head headRecord, end *checkpointRecord, err error) {
	f, err := os.Open(p.path(name))
	if err != nil {
		return head, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	d := decoding.NewDecoder(bufio.NewReaderSize(f, 1<<16))
	n := uint64(0)
	for i := 0; ; i++ {
		var r record
		if err := d.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return head, nil, fmt.Errorf("%s: record %d cannot be read: %w", name, i+1, err)
		}
		switch {
		case i == 0 && r.Head != nil:
			head = *r.Head
		case i > 0 && end == nil && len(r.Entry) > 0:
			n++
			if err := each(head, n, r.Entry); err != nil {
				return head, nil, fmt.Errorf("%s: entry %d: %w", name, n, err)
			}
		case i > 0 && end == nil && r.Checkpoint != nil:
			end = r.Checkpoint
		default:
			return head, nil, fmt.Errorf("%s: record %d is not one that belongs there", name, i+1)
		}
	}
	if len(head.Terminal) != 16 {
		return head, nil, fmt.Errorf("%s: it says of no terminal", name)
	}
	return head, end, nil
}

// journal checks the chain of a journal's entries, and the terminal's signature over it.
func (p *pack) journal(name string, wanted map[string]*sale) (*journal, error) {
	j := &journal{name: name}
	var previous [32]byte
	head, end, err := p.walk(name, func(head headRecord, n uint64, raw []byte) error {
		previous = chained(head, n, previous, raw)
		j.hashes = append(j.hashes, previous)
		keep(raw, wanted)
		return nil
	})
	if err != nil {
		return nil, err
	}
	j.lane = lane{hex.EncodeToString(head.Terminal), head.Epoch}
	j.count = uint64(len(j.hashes))
	switch {
	case j.count == 0 && end == nil:
		return j, nil
	case end == nil:
		return nil, fmt.Errorf("%s: no signature covers its %d entries", name, j.count)
	case end.Last != j.count || len(end.Head) != 32 || [32]byte(end.Head) != previous:
		return nil, fmt.Errorf("%s: the signature is of entry %d and another hash, the file ends with entry %d", name, end.Last, j.count)
	case len(head.Key) != ed25519.PublicKeySize || !ed25519.Verify(head.Key, checkpointBytes(head, *end), end.Signature):
		return nil, fmt.Errorf("%s: the terminal's signature over entry %d is not good", name, end.Last)
	}
	return j, nil
}

// chained is the hash of entry n (docs/journal-format.md §1).
func chained(head headRecord, n uint64, previous [32]byte, raw []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("tallystick entry v1\x00"))
	h.Write(head.Terminal)
	var number [12]byte
	binary.BigEndian.PutUint32(number[:], head.Epoch)
	binary.BigEndian.PutUint64(number[4:], n)
	h.Write(number[:])
	h.Write(previous[:])
	h.Write(raw)
	return [32]byte(h.Sum(nil))
}

func checkpointBytes(head headRecord, c checkpointRecord) []byte {
	b := append([]byte("tallystick checkpoint v1\x00"), head.Terminal...)
	b = binary.BigEndian.AppendUint32(b, head.Epoch)
	b = binary.BigEndian.AppendUint64(b, c.First)
	b = binary.BigEndian.AppendUint64(b, c.Last)
	return append(b, c.Head...)
}
