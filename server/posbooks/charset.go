package posbooks

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Encodings by name. Their decoders are made anew for each file.
const (
	utf8Name  = "utf-8"
	utf16Name = "utf-16"
	win1250   = "windows-1250"
	win1252   = "windows-1252"
	win1254   = "windows-1254"
)

// encodingOf finds an encoding; nil is none that is known.
func encodingOf(name string) encoding.Encoding {
	switch strings.ToLower(name) {
	case utf8Name:
		return unicode.UTF8
	case utf16Name, "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case win1250, "iso-8859-2":
		return charmap.Windows1250
	case win1252, "iso-8859-1":
		return charmap.Windows1252
	case win1254, "iso-8859-9":
		return charmap.Windows1254
	}
	return nil
}

// peeked is how much of a file is looked at to find out its encoding.
const peeked = 32 << 10

// decoded returns a file as UTF-8 and the name of the encoding that it is read in. Bytes
// that are none of UTF-8 stay as they are, so that the row they stand in can be named.
func decoded(in io.Reader, name string) (io.Reader, string, error) {
	buffered := bufio.NewReaderSize(in, peeked)
	head, err := buffered.Peek(peeked)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", fmt.Errorf("read the beginning of a file: %w", err)
	}
	if name == "" {
		name = guess(head)
	}
	switch name = strings.ToLower(name); name {
	case utf8Name:
		if bytes.HasPrefix(head, []byte("\ufeff")) {
			_, _ = buffered.Discard(len("\ufeff")) // it is in the buffer
		}
		return buffered, name, nil
	case utf16Name, "utf-16le", "utf-16be":
		if order := wide(head); order != "" && name == utf16Name {
			name = order
		}
		return bufio.NewReader(encodingOf(name).NewDecoder().Reader(buffered)), utf16Name, nil
	}
	e := encodingOf(name)
	if e == nil {
		return nil, "", &Unreadable{Reason: fmt.Sprintf("the encoding %q is not known", clip(name))}
	}
	return e.NewDecoder().Reader(buffered), name, nil
}

// guess finds out the encoding of a file by its beginning: by the mark of Unicode, by zero
// bytes, by being UTF-8, and else by the letters of Turkish and Polish that others have not.
func guess(head []byte) string {
	if wide(head) != "" {
		return utf16Name
	}
	if bytes.HasPrefix(head, []byte("\ufeff")) || utf8.Valid(whole(head)) {
		return utf8Name
	}
	turkish, polish := 0, 0
	for _, b := range head {
		switch b {
		case 0xfd, 0xfe, 0xf0, 0xdd, 0xde, 0xd0: // ı ş ğ İ Ş Ğ
			turkish++
		case 0xb3, 0xb9, 0xbf, 0x9c, 0x9f, 0xa3, 0x8c, 0xaf, 0x8f: // ł ą ż ś ź Ł Ś Ż Ź
			polish++
		}
	}
	switch {
	case turkish > polish:
		return win1254
	case polish > 0:
		return win1250
	}
	return win1252
}

// whole leaves out a character that the end of the beginning cuts.
func whole(head []byte) []byte {
	for i := 1; i <= min(utf8.UTFMax-1, len(head)); i++ {
		if last := head[len(head)-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return head[:len(head)-i]
			}
			break
		}
	}
	return head
}

// wide says in which order the bytes of UTF-16 stand, or nothing when it is not.
func wide(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return "utf-16le"
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return "utf-16be"
	}
	const enough = 8
	if len(head) < enough {
		return ""
	}
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	switch most := len(head) / 4; {
	case zeros[1] > most && zeros[0] == 0:
		return "utf-16le"
	case zeros[0] > most && zeros[1] == 0:
		return "utf-16be"
	}
	return ""
}
