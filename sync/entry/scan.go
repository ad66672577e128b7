package entry

import (
	"math"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/clock"
)

// scanner reads CBOR as [Encode] writes it, without reflection: heads of the shortest
// form, definite lengths, whole numbers as keys that rise (RFC 8949 §4.2.1). It reads no
// tag, float or anything else that no entry has. What it does not take sets failed, and
// says nothing of the bytes: decMode reads them then, and says what is wrong. So a scanner
// never decides what is readable, it is only quicker with what everybody writes.
type scanner struct {
	raw    []byte
	at     int // of the next byte
	failed bool
}

// The major types of CBOR that entries have (RFC 8949 §3.1).
const (
	cborUnsigned = 0
	cborNegative = 1
	cborBytes    = 2
	cborText     = 3
	cborArray    = 4
	cborMap      = 5
	cborSimple   = 7
)

// The bounds of decMode. Its levels are counted from the envelope and from the body; the
// scanner's are fewer, so that it never takes more.
const (
	scanPairs    = 64
	scanElements = 4096
	scanLevels   = 6
)

// head reads the first byte of an item with its argument.
func (s *scanner) head() (major byte, n uint64) {
	if s.at >= len(s.raw) {
		return s.fail(), 0
	}
	first := s.raw[s.at]
	s.at++
	major, info := first>>5, first&0x1f
	if info < 24 {
		return major, uint64(info)
	}
	size := 1 << (info - 24) // bytes of the argument
	if info > 27 || s.left() < size {
		return s.fail(), 0
	}
	for _, b := range s.raw[s.at : s.at+size] {
		n = n<<8 | uint64(b)
	}
	s.at += size
	if major == cborSimple || size == 1 && n < 24 || size > 1 && n < 1<<(4*size) {
		return s.fail(), 0 // a float, or a head that is longer than it need be
	}
	return major, n
}

// left is how many bytes are still to be read.
func (s *scanner) left() int { return len(s.raw) - s.at }

// done says whether all was read, and taken.
func (s *scanner) done() bool { return !s.failed && s.left() == 0 }

// fail returns a major type that nothing takes.
func (s *scanner) fail() byte {
	s.failed, s.at = true, len(s.raw)
	return 0xff
}

func (s *scanner) uint(most uint64) uint64 {
	major, n := s.head()
	if major != cborUnsigned || n > most {
		s.fail()
		return 0
	}
	return n
}

func (s *scanner) int() int64 {
	major, n := s.head()
	switch {
	case n > math.MaxInt64:
	case major == cborUnsigned:
		return int64(n)
	case major == cborNegative:
		return -1 - int64(n)
	}
	s.fail()
	return 0
}

// take returns the bytes of a string of either kind, as long as the entry's own.
func (s *scanner) take(want byte) []byte {
	major, n := s.head()
	if major != want || n > uint64(s.left()) {
		s.fail()
		return nil
	}
	from := s.at
	s.at += int(n)
	return s.raw[from:s.at]
}

func (s *scanner) text() string {
	b := s.take(cborText)
	if !utf8.Valid(b) {
		s.fail()
		return ""
	}
	return string(b)
}

func (s *scanner) id() (id [16]byte) {
	b := s.take(cborBytes)
	if len(b) != len(id) {
		s.fail()
		return id
	}
	return [16]byte(b)
}

// pairs reads a map: it calls value for every key, which must take the value.
func (s *scanner) pairs(value func(key uint64)) {
	n := s.count(cborMap, scanPairs)
	last := int64(-1)
	for range n {
		key := s.uint(math.MaxInt32)
		if int64(key) <= last {
			s.fail()
		}
		if s.failed {
			return
		}
		last = int64(key)
		value(key)
	}
}

// each reads an array: it calls element for each, which must take it.
func (s *scanner) each(element func()) {
	for range s.count(cborArray, scanElements) {
		if s.failed {
			return
		}
		element()
	}
}

// count reads how many pairs or elements come, each of which is a byte at least.
func (s *scanner) count(want byte, most uint64) int {
	major, n := s.head()
	if major != want || n > most || n > uint64(s.left()) {
		s.fail()
		return 0
	}
	return int(n)
}

// skip leaves a value out. It looks at its form as decMode does at what a struct does not
// name, and not at what its texts and keys are.
func (s *scanner) skip(level int) {
	major, n := s.head()
	switch major {
	case cborUnsigned, cborNegative:
	case cborBytes, cborText:
		if n > uint64(s.left()) {
			s.fail()
			return
		}
		s.at += int(n)
	case cborArray, cborMap:
		most := uint64(scanElements)
		if major == cborMap {
			most = 2 * scanPairs
			n *= 2
		}
		if n > most || level >= scanLevels {
			s.fail()
		}
		for i := uint64(0); i < n && !s.failed; i++ {
			s.skip(level + 1)
		}
	case cborSimple:
		if n < 20 || n > 22 { // false, true, null
			s.fail()
		}
	default:
		s.fail()
	}
}

// scanEnvelope reads the envelope of an entry; see [Decode]. Its body is part of
// raw.
func scanEnvelope(raw []byte) (e Entry, ok bool) {
	s := scanner{raw: raw}
	s.pairs(func(key uint64) {
		switch key {
		case 1:
			e.V = uint8(s.uint(math.MaxUint8))
		case 2:
			e.HLC = clock.Stamp(s.uint(math.MaxUint64))
		case 3:
			e.OccurredAt = s.int()
		case 4:
			e.BusinessDate = Date(s.uint(math.MaxUint32))
		case 5:
			e.Kind = Kind(s.uint(math.MaxUint16))
		case 6:
			from := s.at
			s.skip(1)
			e.Body = raw[from:s.at:s.at]
		default:
			s.fail()
		}
	})
	return e, s.done()
}
