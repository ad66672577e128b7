package process

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// tailBytes is how much of its output an error about a process carries.
const tailBytes = 4 << 10

// output keeps what a process writes and watches for the ready line.
type output struct {
	mu    sync.Mutex
	both  bytes.Buffer
	std   bytes.Buffer
	line  []byte // unfinished line of standard output
	copy  io.Writer
	check func([]byte) bool
	ready chan struct{} // closed at the ready line
	said  []byte        // the ready line
}

func newOutput(log io.Writer, check func([]byte) bool) *output {
	return &output{copy: log, check: check, ready: make(chan struct{})}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (o *output) stdout() io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.std.Write(p)
		o.watch(p)
		return o.keep(p)
	})
}

func (o *output) stderr() io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.keep(p)
	})
}

func (o *output) keep(p []byte) (int, error) {
	o.both.Write(p)
	if o.copy != nil {
		if _, err := o.copy.Write(p); err != nil {
			return 0, fmt.Errorf("copy log: %w", err)
		}
	}
	return len(p), nil
}

func (o *output) watch(p []byte) {
	if o.check == nil || o.said != nil {
		return
	}
	o.line = append(o.line, p...)
	for {
		line, rest, found := bytes.Cut(o.line, []byte("\n"))
		if !found {
			return
		}
		if o.check(line) {
			o.said, o.line = bytes.Clone(line), nil
			close(o.ready)
			return
		}
		o.line = rest
	}
}

func (o *output) readyLine() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.said
}

func (o *output) standard() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.std.Bytes())
}

func (o *output) all() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.both.String()
}

func (o *output) tail() string {
	text := o.all()
	if len(text) > tailBytes {
		return "… " + text[len(text)-tailBytes:]
	}
	return text
}
