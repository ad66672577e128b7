package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// The ports handed out lie below the range from which Linux takes the local ports
// of outgoing connections (net.ipv4.ip_local_port_range), so that a port stays
// free while the process that listens on it is down.
const (
	firstPort = 20000
	lastPort  = 32000
)

var (
	portMu sync.Mutex
	handed = map[int]bool{}
)

// FreeAddr returns "127.0.0.1:port" with a port that nobody listens on and that
// this process has not been given before.
func FreeAddr(ctx context.Context) (string, error) {
	portMu.Lock()
	defer portMu.Unlock()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if handed[port] {
			continue
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		var config net.ListenConfig
		l, err := config.Listen(ctx, "tcp", addr)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return "", fmt.Errorf("give port %d back: %w", port, err)
		}
		handed[port] = true
		return addr, nil
	}
	return "", errors.New("find a free port: none in a thousand tries")
}
