package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/google/uuid"
)

// The head file remembers, in two slots written in turn and never synced while the
// journal runs, the newest head that was durable. What it says is always true, only
// perhaps old: so it turns the loss of acknowledged entries at the journal's very
// end, which by its frames looks like a torn write, into a *CorruptError.
const (
	headName     = "head"
	headFileSize = 8 << 10
	slotStride   = 4 << 10
	slotSize     = 82
	slotMagic    = "TALLYHED"
)

// mark of the head file: group was durable, and with it the head.
type sighting struct {
	group uint64
	head  Head
}

func encodeSlot(b *[slotSize]byte, w Writer, s sighting) {
	copy(b[:], slotMagic)
	binary.BigEndian.PutUint16(b[8:], formatVersion)
	copy(b[10:26], w.ID[:])
	binary.BigEndian.PutUint32(b[26:], w.Epoch)
	binary.BigEndian.PutUint64(b[30:], s.group)
	binary.BigEndian.PutUint64(b[38:], s.head.Seq)
	copy(b[46:78], s.head.Hash[:])
	binary.BigEndian.PutUint32(b[78:], crc32.Checksum(b[:78], castagnoli))
}

func parseSlot(b []byte) (w Writer, s sighting, ok bool) {
	if len(b) < slotSize || string(b[:8]) != slotMagic || binary.BigEndian.Uint16(b[8:]) != formatVersion ||
		binary.BigEndian.Uint32(b[78:]) != crc32.Checksum(b[:78], castagnoli) {
		return Writer{}, sighting{}, false
	}
	w = Writer{ID: uuid.UUID(b[10:26]), Epoch: binary.BigEndian.Uint32(b[26:])}
	s.group = binary.BigEndian.Uint64(b[30:])
	s.head = Head{Seq: binary.BigEndian.Uint64(b[38:]), Hash: Hash(b[46:78])}
	return w, s, true
}

// slotOffset is where the sighting of a group goes.
func slotOffset(group uint64) int64 { return int64(group%2) * slotStride }

// readHeadFile returns the newest readable slot. there is false when no file exists,
// ok when no slot can be read. A slot of another writer is a *ForeignError.
func readHeadFile(fsys FS, want *Writer) (s sighting, there, ok bool, err error) {
	f, err := fsys.Open(headName, false)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, false, nil
	}
	if err != nil {
		return s, false, false, fmt.Errorf("open head file: %w", err)
	}
	b := make([]byte, headFileSize)
	n, err := f.ReadAt(b, 0)
	if err = errors.Join(ignoreEOF(err), f.Close()); err != nil {
		return s, true, false, fmt.Errorf("read head file: %w", err)
	}
	for at := 0; at < n; at += slotStride {
		w, got, good := parseSlot(b[at:n])
		if !good {
			continue
		}
		if want != nil && w != *want {
			return s, true, false, &ForeignError{Want: *want, Got: w}
		}
		if !ok || got.group > s.group {
			s, ok = got, true
		}
	}
	return s, true, ok, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
