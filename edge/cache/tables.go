package cache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/table"
)

// checkTables reads every table that the MANIFEST names and compares all checksums.
// Badger could do so too, but in goroutines of its own, where a table that is cut short
// ends the process. Tables that the MANIFEST does not name are what a crash left;
// Badger removes them.
func checkTables(path string) error {
	tables, err := namedTables(path)
	if err != nil {
		return err
	}
	var buf []byte
	for _, id := range tables {
		name := table.NewFilename(id, path)
		if buf, err = readInto(buf, name); err != nil {
			return fmt.Errorf("read cache table: %w", err)
		}
		if err := checkTable(buf); err != nil {
			return fmt.Errorf("check %s: %w", filepath.Base(name), err)
		}
	}
	return nil
}

// namedTables returns the tables of the MANIFEST; none when there is no MANIFEST.
func namedTables(path string) (ids []uint64, err error) {
	f, err := os.Open(filepath.Join(path, badger.ManifestFilename))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open MANIFEST: %w", err)
	}
	defer f.Close()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("read MANIFEST: panic: %v", r)
		}
	}()
	manifest, _, err := badger.ReplayManifestFile(f, 0, options(path))
	if err != nil {
		return nil, fmt.Errorf("read MANIFEST: %w", err)
	}
	for id := range manifest.Tables {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// readInto reads a file into buf, which grows when it is too small.
func readInto(buf []byte, name string) (_ []byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return buf, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return buf, err
	}
	buf = slices.Grow(buf[:0], int(info.Size()))[:info.Size()]
	_, err = io.ReadFull(f, buf)
	return buf, err
}

var errTable = errors.New("a checksum or length is wrong")

// checkTable checks one table file: blocks, index, length of the index, checksum of
// the index, length of the checksum. The index is a flat buffer; what it says is
// believed once its checksum is right.
func checkTable(raw []byte) error {
	rest, sum, ok := cutTail(raw)
	if !ok {
		return errTable
	}
	_, index, ok := cutTail(rest)
	if !ok || !holds(sum, index) {
		return errTable
	}
	root := fb.GetRootAsTableIndex(index, 0)
	for i := range root.OffsetsLength() {
		var at fb.BlockOffset
		if !root.Offsets(&at, i) {
			return errTable
		}
		from, to := int(at.Offset()), int(at.Offset())+int(at.Len())
		if to > len(raw) {
			return errTable
		}
		data, sum, ok := cutTail(raw[from:to])
		if !ok || !holds(sum, data) {
			return fmt.Errorf("block %d: %w", i, errTable)
		}
	}
	return nil
}

// cutTail cuts off what a length of four bytes at the end stands for.
func cutTail(b []byte) (rest, tail []byte, ok bool) {
	const size = 4
	if len(b) < size {
		return nil, nil, false
	}
	rest = b[:len(b)-size]
	n := int(binary.BigEndian.Uint32(b[len(rest):]))
	if n > len(rest) {
		return nil, nil, false
	}
	return rest[:len(rest)-n], rest[len(rest)-n:], true
}

// holds compares data with Badger's checksum message: field 2, a varint of CRC-32C;
// field 1, the kind of checksum, is left out for CRC-32C, and field 2 when it is zero.
func holds(message, data []byte) bool {
	const sumTag = 2 << 3
	want := uint64(0)
	if len(message) > 0 {
		n := 0
		if want, n = binary.Uvarint(message[1:]); message[0] != sumTag || n != len(message)-1 {
			return false
		}
	}
	return want == uint64(crc32.Checksum(data, castagnoli))
}
