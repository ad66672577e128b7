package posbooks

import (
	"errors"
	"fmt"
	"io"
)

// maxPiece is how much of a JSON or XML file one receipt has at most, with what stands
// between it and the one before, in bytes.
const maxPiece = 8 << 20

// maxToken is how much one tag, text or comment of XML has at most, in bytes: a tag in memory
// is many times what it is in the file.
const maxToken = 512 << 10

// bounded is a reader that stops when a piece of a file is too long: decoders hold a piece
// of it whole.
type bounded struct {
	in   io.Reader
	read int64 // in all
	mark int64 // when the last piece had ended
	last int64 // when the last token had ended
	most int64 // of a token; zero is no bound
	err  error // of the reader below, which is none of the file
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	left := maxPiece - (b.read - b.mark)
	if left <= 0 {
		return 0, &Unreadable{Reason: fmt.Sprintf("one piece of it is longer than %d bytes", maxPiece)}
	}
	if b.most > 0 {
		ahead := b.most - (b.read - b.last)
		if ahead <= 0 {
			return 0, &Unreadable{Reason: fmt.Sprintf("one tag or text in it is longer than %d bytes", b.most)}
		}
		left = min(left, ahead)
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

// token says that a token has ended.
func (b *bounded) token() { b.last = b.read }

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
