package lan

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/mdns"
)

// service is the name lanes announce themselves under (RFC 6763).
const service = "_tallystick._tcp"

// announce answers questions by mDNS until end is called. What it says proves nothing;
// lanes prove themselves by their keys.
func (n *Node) announce() (end func(), err error) {
	_, text, err := net.SplitHostPort(n.listen.Addr().String())
	if err != nil {
		return nil, fmt.Errorf("announce lane: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("announce lane: %w", err)
	}
	zone, err := mdns.NewMDNSService(n.self.ID.String(), service, "", n.self.ID.String()+".local.", port, n.ownAddresses(),
		[]string{"store=" + n.cfg.Store.String()})
	if err != nil {
		return nil, fmt.Errorf("announce lane: %w", err)
	}
	server, err := mdns.NewServer(&mdns.Config{Zone: zone, Logger: silent()})
	if err != nil {
		return nil, fmt.Errorf("announce lane: %w", err)
	}
	return func() { _ = server.Shutdown() }, nil // nothing hangs on it
}

// ownAddresses are those this machine can be reached at, or only the one listened on.
func (n *Node) ownAddresses() []net.IP {
	if tcp, ok := n.listen.Addr().(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
		return []net.IP{tcp.IP}
	}
	var out []net.IP
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil // mdns then asks the system by itself
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() && !ip.IP.IsLinkLocalUnicast() {
			out = append(out, ip.IP)
		}
	}
	if len(out) == 0 {
		out = append(out, net.IPv4(127, 0, 0, 1))
	}
	return out
}

// discover asks the network once which lanes of the store there are.
func (n *Node) discover(ctx context.Context) {
	found := make(chan *mdns.ServiceEntry, maxPeers)
	params := mdns.DefaultParams(service)
	params.Entries, params.Timeout, params.Logger = found, time.Second, silent()
	if err := mdns.QueryContext(ctx, params); err != nil {
		n.cfg.Log.Debug("lanes cannot be looked for by mDNS", "err", err)
	}
	close(found)
	for e := range found {
		n.found(e)
	}
}

// found takes in an announcement of another lane of the same store.
func (n *Node) found(e *mdns.ServiceEntry) {
	if !strings.Contains(strings.Join(e.InfoFields, " "), "store="+n.cfg.Store.String()) || strings.HasPrefix(e.Name, n.self.ID.String()) {
		return
	}
	for _, ip := range []net.IP{e.AddrV4, e.AddrV6} {
		if ip != nil {
			n.peers.add(net.JoinHostPort(ip.String(), strconv.Itoa(e.Port)))
			return
		}
	}
}

// silent keeps the library from writing past the program's own log.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }
