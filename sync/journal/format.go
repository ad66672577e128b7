package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/google/uuid"
)

// Sizes in bytes. docs/journal-format.md has the tables.
const (
	formatVersion = 1

	// MaxEntrySize is the longest entry any journal accepts. A journal with small
	// segments accepts less, see [Journal.MaxEntry].
	MaxEntrySize = 64 << 10

	// DefaultSegmentSize is the size of a new segment file.
	DefaultSegmentSize = 4 << 20
	minSegmentSize     = 4 << 10
	maxSegmentSize     = 64 << 20

	headerSize   = 128
	frameSize    = 44 // the frame's fields; its payload follows
	sealSize     = 40
	maxGroupSize = 1 << 20
)

const (
	headerMagic = "TALLYJNL"
	frameMagic  = "TJF1"
)

// The kinds of frame.
const (
	kindEntry = 1
	kindSeal  = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header opens a segment file. Everything but size is known to a reader who has
// read the segment before, so a damaged header hides nothing.
type header struct {
	writer   Writer
	size     uint32 // of the file
	index    uint64
	firstSeq uint64
	group    uint64 // number of the first group
	prev     Hash   // of entry firstSeq-1
}

// encodeTo writes the header into b, which has at least headerSize bytes.
func (h header) encodeTo(b []byte) {
	clear(b[:headerSize])
	copy(b, headerMagic)
	binary.BigEndian.PutUint16(b[8:], formatVersion)
	binary.BigEndian.PutUint16(b[10:], headerSize)
	binary.BigEndian.PutUint32(b[12:], h.size)
	copy(b[16:32], h.writer.ID[:])
	binary.BigEndian.PutUint32(b[32:], h.writer.Epoch)
	binary.BigEndian.PutUint64(b[40:], h.index)
	binary.BigEndian.PutUint64(b[48:], h.firstSeq)
	binary.BigEndian.PutUint64(b[56:], h.group)
	copy(b[64:96], h.prev[:])
	binary.BigEndian.PutUint32(b[124:], crc32.Checksum(b[:124], castagnoli))
}

// parseHeader reads a header. ok is false when it is damaged; err is set when it is
// whole but of a version this release does not read.
func parseHeader(b []byte) (h header, ok bool, err error) {
	if len(b) < headerSize || string(b[:8]) != headerMagic ||
		binary.BigEndian.Uint32(b[124:]) != crc32.Checksum(b[:124], castagnoli) {
		return header{}, false, nil
	}
	h = header{
		writer:   Writer{ID: uuid.UUID(b[16:32]), Epoch: binary.BigEndian.Uint32(b[32:])},
		size:     binary.BigEndian.Uint32(b[12:]),
		index:    binary.BigEndian.Uint64(b[40:]),
		firstSeq: binary.BigEndian.Uint64(b[48:]),
		group:    binary.BigEndian.Uint64(b[56:]),
		prev:     Hash(b[64:96]),
	}
	if v := binary.BigEndian.Uint16(b[8:]); v != formatVersion {
		return header{}, false, &VersionError{Segment: h.index, Got: v}
	}
	sane := binary.BigEndian.Uint16(b[10:]) == headerSize && h.firstSeq > 0 && h.group > 0 &&
		h.size >= minSegmentSize && h.size <= maxSegmentSize
	return h, sane, nil
}

// salt is the CRC32C that every checksum in the segment starts from: bytes of
// another journal, or of another place in this one, never pass as a frame here.
func (h header) salt() uint32 {
	var b [68]byte
	copy(b[:16], h.writer.ID[:])
	binary.BigEndian.PutUint32(b[16:], h.writer.Epoch)
	binary.BigEndian.PutUint64(b[20:], h.index)
	binary.BigEndian.PutUint64(b[28:], h.firstSeq)
	copy(b[36:], h.prev[:])
	return crc32.Checksum(b[:], castagnoli)
}

// frame is one record of a group: an entry or a seal.
type frame struct {
	kind     byte
	group    uint64
	start    uint32 // offset of the group's first frame; all before it was durable
	groupLen uint32 // bytes of the whole group
	seq      uint64 // of the entry; of the head, for a seal
	length   uint32 // of the payload
	sum      uint32 // CRC32C of the payload, salted
}

// appendFrame appends a frame and its payload to b. start and groupLen are filled
// in by finishGroup, when the group is complete.
func appendFrame(b []byte, kind byte, group, seq uint64, payload []byte) []byte {
	b = append(b, frameMagic...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.BigEndian.AppendUint64(b, group)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // start, group length
	b = binary.BigEndian.AppendUint64(b, seq)
	b = append(b, kind, 0, 0, 0)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // payload and frame checksums
	return append(b, payload...)
}

// finishGroup completes the frames of one group, which begins at offset start of
// the segment with this salt.
func finishGroup(group []byte, start, salt uint32) {
	for b := group; len(b) > 0; {
		n := frameSize + int(binary.BigEndian.Uint32(b[4:]))
		binary.BigEndian.PutUint32(b[16:], start)
		binary.BigEndian.PutUint32(b[20:], uint32(len(group)))
		binary.BigEndian.PutUint32(b[36:], crc32.Update(salt, castagnoli, b[frameSize:n]))
		binary.BigEndian.PutUint32(b[40:], crc32.Update(salt, castagnoli, b[:40]))
		b = b[n:]
	}
}

// parseFrame reads the fields of the frame that b begins with, at offset at of its
// segment, without its payload. ok says that they are intact and possible; it costs
// the same whatever they say.
func parseFrame(b []byte, at int, salt uint32) (f frame, ok bool) {
	if at < headerSize || len(b) < frameSize {
		return frame{}, false
	}
	if string(b[:4]) != frameMagic || binary.BigEndian.Uint32(b[40:]) != crc32.Update(salt, castagnoli, b[:40]) {
		return frame{}, false
	}
	f = frame{
		length:   binary.BigEndian.Uint32(b[4:]),
		group:    binary.BigEndian.Uint64(b[8:]),
		start:    binary.BigEndian.Uint32(b[16:]),
		groupLen: binary.BigEndian.Uint32(b[20:]),
		seq:      binary.BigEndian.Uint64(b[24:]),
		kind:     b[32],
		sum:      binary.BigEndian.Uint32(b[36:]),
	}
	end := uint64(at) + frameSize + uint64(f.length)
	groupEnd := uint64(f.start) + uint64(f.groupLen)
	switch {
	case f.start < headerSize || uint64(f.start) > uint64(at) || end > groupEnd:
		return frame{}, false
	case f.kind == kindEntry:
		ok = f.length > 0 && f.length <= MaxEntrySize
	case f.kind == kindSeal:
		ok = f.length == sealSize
	}
	return f, ok
}

// payload returns the payload of the frame that b begins with, and whether it is
// all there and intact.
func (f frame) payload(b []byte, salt uint32) ([]byte, bool) {
	if f.size() > len(b) {
		return nil, false
	}
	p := b[frameSize:f.size()]
	return p, crc32.Update(salt, castagnoli, p) == f.sum
}

// size is the whole frame's length in bytes.
func (f frame) size() int { return frameSize + int(f.length) }

// seal is the payload of a seal: it says again what came before it, so that the
// last group of a session is followed by a later one, and states the retention
// floor: segments with a lower index may have been pruned.
type seal struct {
	floor uint64
	hash  Hash // of the head
}

func (s seal) encode() []byte {
	b := make([]byte, 0, sealSize)
	b = binary.BigEndian.AppendUint64(b, s.floor)
	return append(b, s.hash[:]...)
}

func parseSeal(b []byte) seal {
	return seal{floor: binary.BigEndian.Uint64(b), hash: Hash(b[8:sealSize])}
}

// segmentName returns the file name of segment index.
func segmentName(index uint64) string { return fmt.Sprintf("%016d.seg", index) }

// parseSegmentName is the inverse; ok is false for every other name.
func parseSegmentName(name string) (index uint64, ok bool) {
	if _, err := fmt.Sscanf(name, "%016d.seg", &index); err != nil || index == 0 {
		return 0, false
	}
	return index, name == segmentName(index)
}
