package mailsink

import (
	"errors"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// Mail is one mail as it arrived. Data is its headers and text.
type Mail struct{ From, To, Data string }

// Sink is a running server.
type Sink struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	mails  []Mail
	refuse string
	open   map[net.Conn]bool
}

// Start listens on a free port of this machine until the test ends.
func Start(t testing.TB) *Sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Sink{listener: l, open: map[net.Conn]bool{}}
	s.wg.Go(s.accept)
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		s.mu.Lock()
		for c := range s.open {
			_ = c.Close()
		}
		s.mu.Unlock()
		s.wg.Wait()
	})
	return s
}

// Address is the server's host and port.
func (s *Sink) Address() string { return s.listener.Addr().String() }

// Refuse has every mail refused with a line such as "451 later"; empty takes them again.
func (s *Sink) Refuse(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = line
}

// Mails returns what was taken.
func (s *Sink) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

func (s *Sink) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			_ = s.talk(textproto.NewConn(c)) // the client went away
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.open, c)
		})
	}
}

// talk answers one connection until it ends.
func (s *Sink) talk(c *textproto.Conn) error {
	defer c.Close()
	if err := c.PrintfLine("220 sink"); err != nil {
		return err
	}
	var m Mail
	for {
		line, err := c.ReadLine()
		if err != nil {
			return err
		}
		verb, rest, _ := strings.Cut(line, " ")
		answer := "250 ok"
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			answer = "250 sink"
		case "MAIL":
			m = Mail{From: rest}
		case "RCPT":
			m.To = rest
		case "DATA":
			if answer, err = s.data(c, &m); err != nil {
				return err
			}
		case "QUIT":
			return c.PrintfLine("221 bye")
		case "RSET", "NOOP":
		default:
			answer = "502 not here"
		}
		if err := c.PrintfLine("%s", answer); err != nil {
			return err
		}
	}
}

func (s *Sink) data(c *textproto.Conn, m *Mail) (answer string, err error) {
	s.mu.Lock()
	refuse := s.refuse
	s.mu.Unlock()
	if refuse != "" {
		return refuse, nil
	}
	if err := c.PrintfLine("354 go on"); err != nil {
		return "", err
	}
	raw, err := c.ReadDotBytes()
	if err != nil {
		return "", err
	}
	m.Data = string(raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, *m)
	return "250 taken", nil
}
