package print

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// Transport brings the bytes of one receipt to a printer. It is for one goroutine.
type Transport interface {
	// Send returns nil when all bytes were taken, as far as the printer lets one know.
	Send(ctx context.Context, job []byte) error
}

// What a transport takes at most.
const (
	dialTimeout   = 2 * time.Second
	writeTimeout  = 5 * time.Second
	statusTimeout = 300 * time.Millisecond
)

// Open reads the address of a printer: tcp://HOST[:9100] or file:///dev/usb/lp0. It
// connects to nothing yet. now is for deadlines.
func Open(address string, now func() time.Time) (Transport, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("read printer address: %w", err)
	}
	switch {
	case u.Scheme == "tcp" && u.Hostname() != "" && u.Path == "":
		port := u.Port()
		if port == "" {
			port = "9100"
		}
		return &overTCP{net.JoinHostPort(u.Hostname(), port), now}, nil
	case u.Scheme == "file" && u.Host == "" && strings.HasPrefix(u.Path, "/"):
		return &device{u.Path, now}, nil
	}
	return nil, fmt.Errorf("printer address %q is none; tcp://HOST:9100 and file:///dev/usb/lp0 are", address)
}

// overTCP is a printer in the network (port 9100, "raw").
type overTCP struct {
	address string
	now     func() time.Time
}

// ErrPrinter is what a printer says of itself: no paper, an open lid.
var ErrPrinter = errors.New("the printer is not ready")

// Send implements Transport. A printer that answers the question for its state is believed;
// one that does not answer is taken to be ready.
func (t *overTCP) Send(ctx context.Context, job []byte) (err error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", t.address)
	if err != nil {
		return fmt.Errorf("reach printer: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := t.ask(conn); err != nil {
		return err
	}
	if err := conn.SetWriteDeadline(t.now().Add(writeTimeout)); err != nil {
		return fmt.Errorf("send to printer: %w", err)
	}
	if _, err := conn.Write(job); err != nil {
		return fmt.Errorf("send to printer: %w", err)
	}
	return nil
}

// Real-time state (DLE EOT 2): a fixed pattern, and bits that say what is wrong.
const (
	stateMask, statePattern = 0x93, 0x12
	stateLid                = 0x04
	statePaper              = 0x20
	stateError              = 0x40
)

// ask asks a printer for its state before anything is printed.
func (t *overTCP) ask(conn net.Conn) error {
	if err := conn.SetDeadline(t.now().Add(statusTimeout)); err != nil {
		return fmt.Errorf("ask printer: %w", err)
	}
	if _, err := conn.Write([]byte{0x10, 0x04, 2}); err != nil {
		return fmt.Errorf("ask printer: %w", err)
	}
	var state [1]byte
	if _, err := io.ReadFull(conn, state[:]); err != nil {
		var slow net.Error
		if errors.As(err, &slow) && slow.Timeout() {
			return nil // it does not say
		}
		return fmt.Errorf("ask printer: %w", err)
	}
	return stateOf(state[0])
}

// stateOf reads what a printer says. What has not the fixed pattern says nothing.
func stateOf(state byte) error {
	switch {
	case state&stateMask != statePattern:
		return nil
	case state&statePaper != 0:
		return fmt.Errorf("%w: no paper", ErrPrinter)
	case state&stateLid != 0:
		return fmt.Errorf("%w: its lid is open", ErrPrinter)
	case state&stateError != 0:
		return fmt.Errorf("%w: it reports an error", ErrPrinter)
	}
	return nil
}

// device is a printer behind a device file.
type device struct {
	path string
	now  func() time.Time
}

// Send implements Transport. It never makes a file: a printer that is unplugged has no
// device file, and a receipt must not go into one that looks like it.
func (t *device) Send(_ context.Context, job []byte) (err error) {
	f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("open printer: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// Not every device can have a deadline; whoever waits has one of their own.
	if err := f.SetWriteDeadline(t.now().Add(writeTimeout)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return fmt.Errorf("write to printer: %w", err)
	}
	if _, err := f.Write(job); err != nil {
		return fmt.Errorf("write to printer: %w", err)
	}
	return nil
}
