package googledouble

import (
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
)

// listenOn has a server that is not started listen on an address of our choice.
func listenOn(s *httptest.Server, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("start google double: %w", errors.Join(err, s.Listener.Close()))
	}
	if err := s.Listener.Close(); err != nil {
		return fmt.Errorf("start google double: %w", err)
	}
	s.Listener = l
	return nil
}
