package apple

import (
	"archive/zip"
	"bytes"
	"crypto/sha1" //nolint:gosec // Apple's manifest is made of SHA-1
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
)

// Limits of a .pkpasses bundle, by Apple's rule.
const (
	MaxBundlePasses = 10
	MaxBundleBytes  = 150 << 20
)

// entry is a file of an archive with the digests it needs.
type entry struct {
	name  string
	data  []byte
	sha1  [sha1.Size]byte
	crc32 uint32
}

func newEntry(name string, data []byte) entry {
	return entry{name: name, data: data, sha1: sha1.Sum(data), crc32: crc32.ChecksumIEEE(data)}
}

// manifestOf lists the SHA-1 of each file, ordered by name, so that equal files give an
// equal manifest. The names are our own and need no escaping.
func manifestOf(files []entry) []byte {
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	out := make([]byte, 0, 80*len(sorted)+2)
	out = append(out, '{')
	for n, f := range sorted {
		if n > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), f.name...), `":"`...)
		out = append(hex.AppendEncode(out, f.sha1[:]), '"')
	}
	return append(out, '}')
}

// zipOverhead is more than an archive needs for a file beside its name and bytes: local
// header 30, central header 46, name twice.
const zipOverhead = 30 + 46 + 2*64

// archive stores the files without compressing them: nearly all bytes are pictures that
// are compressed already. It carries no times, so equal files give equal bytes.
func archive(files []entry) ([]byte, error) {
	size := 64
	for _, f := range files {
		size += len(f.data) + zipOverhead
	}
	out := bytes.NewBuffer(make([]byte, 0, size))
	w := zip.NewWriter(out)
	for _, f := range files {
		header := &zip.FileHeader{
			Name: f.name, Method: zip.Store, CRC32: f.crc32, CreatorVersion: 20, ReaderVersion: 20,
			CompressedSize64: uint64(len(f.data)), UncompressedSize64: uint64(len(f.data)),
		}
		//lint:ignore SA1019 CreateRaw writes this field and does not look at Modified
		header.ModifiedDate = 1<<5 | 1 // 1 January 1980
		part, err := w.CreateRaw(header)
		if err != nil {
			return nil, fmt.Errorf("store %s: %w", f.name, err)
		}
		if _, err := part.Write(f.data); err != nil {
			return nil, fmt.Errorf("store %s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("end archive: %w", err)
	}
	return out.Bytes(), nil
}

// Bundle returns a .pkpasses with these passes, which a phone adds in one step.
func Bundle(passes ...[]byte) ([]byte, error) {
	if len(passes) == 0 || len(passes) > MaxBundlePasses {
		return nil, fmt.Errorf("bundle passes: %d given, a bundle holds 1 to %d", len(passes), MaxBundlePasses)
	}
	total := 0
	files := make([]entry, 0, len(passes))
	for n, pass := range passes {
		if total += len(pass) + zipOverhead; total > MaxBundleBytes {
			return nil, fmt.Errorf("bundle passes: more than %d MB", MaxBundleBytes>>20)
		}
		files = append(files, entry{name: fmt.Sprintf("%02d.pkpass", n+1), data: pass, crc32: crc32.ChecksumIEEE(pass)})
	}
	return archive(files)
}
