package posbooks

import (
	"errors"
	"fmt"
	"io"
)

// maxPiece is how much of a JSON or XML file one receipt has at most, with what stands
// between it and the one before, in bytes.
const maxPiece = 8 << 20

// bounded is a reader that stops when a piece of a file is too long: decoders hold a piece
// of it whole.
type bounded struct {
	in   io.Reader
	read int64 // in all
	mark int64 // when the last piece had ended
	err  error // of the reader below, which is none of the file
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	left := maxPiece - (b.read - b.mark)
	if left <= 0 {
		return 0, &Unreadable{Reason: fmt.Sprintf("one piece of it is longer than %d bytes", maxPiece)}
	}
	n, err := b.in.Read(p[:min(int64(len(p)), left)])
	b.read += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// next says that a piece has ended.
func (b *bounded) next() { b.mark = b.read }

// verdict says that a file is no text of a format, unless it was the reader that failed,
// or reading was stopped.
func (b *bounded) verdict(err error, line int64, format string) error {
	if u := AsUnreadable(err); u != nil {
		return &Unreadable{max(u.Line, line), u.Reason}
	}
	if b.err != nil {
		return fmt.Errorf("read file: %w", b.err)
	}
	return &Unreadable{line, "is no " + format + ": " + printable(err.Error())} // it may quote the file
}
