package printer

import (
	"io"
	"net"
	"testing"
)

// The state of a printer that has paper and a shut lid, and the bit that says it has none.
const (
	Ready   = 0x12
	NoPaper = 0x20
)

// waiting is how many papers may wait to be read.
const waiting = 4

// Start opens a printer until the test ends. It answers the question for its state, unless
// state is zero, and hands over each paper it was sent: the bytes of one connection.
func Start(t testing.TB, state byte) (address string, got <-chan []byte) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	papers, ended := make(chan []byte, waiting), make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close() // so Accept ends
		<-ended
	})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			var asked [3]byte
			if _, err := io.ReadFull(conn, asked[:]); err == nil && state != 0 {
				_, _ = conn.Write([]byte{state}) // an agent that is gone is no matter here
			}
			rest, _ := io.ReadAll(conn) // likewise
			papers <- rest
			_ = conn.Close()
		}
	}()
	return "tcp://" + l.Addr().String(), papers
}
