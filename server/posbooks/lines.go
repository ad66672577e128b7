package posbooks

import (
	"bufio"
	"errors"
	"io"
)

// Bounds of a line, in bytes, and of the lines that one row in quotes goes over.
const (
	maxLine     = 64 << 10
	maxRowLines = 10
)

// line is one line of a file without its end. Long means that it has more than maxLine
// bytes; what is over them is not in it.
type line struct {
	no   int64
	text string
	long bool
}

// lines reads a file line by line. A line ends with CR, LF or both, also in one file.
type lines struct {
	in   *bufio.Reader
	no   int64
	back []line // put back, the next one last
	buf  []byte
}

func newLines(in io.Reader) *lines { return &lines{in: bufio.NewReaderSize(in, 64<<10)} }

// next returns the next line, or io.EOF.
func (l *lines) next() (line, error) {
	if n := len(l.back); n > 0 {
		out := l.back[n-1]
		l.back = l.back[:n-1]
		return out, nil
	}
	l.buf = l.buf[:0]
	out := line{no: l.no + 1}
	for read := 0; ; read++ {
		c, err := l.in.ReadByte()
		if errors.Is(err, io.EOF) && read > 0 {
			break
		}
		if err != nil {
			return line{}, err
		}
		if c == '\r' {
			if after, err := l.in.Peek(1); err == nil && after[0] == '\n' {
				_, _ = l.in.ReadByte() // it is there
			}
			break
		}
		if c == '\n' {
			break
		}
		if len(l.buf) == maxLine {
			out.long = true
			continue
		}
		l.buf = append(l.buf, c)
	}
	l.no++
	out.text = string(l.buf)
	return out, nil
}

// putBack has lines read again, in the order they have.
func (l *lines) putBack(some []line) {
	for i := len(some) - 1; i >= 0; i-- {
		l.back = append(l.back, some[i])
	}
}
