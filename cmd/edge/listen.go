package main

import (
	"fmt"
	"net"
)

// checkListen keeps the API on this machine.
func checkListen(address string, allow bool) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("read --listen: %w", err)
	}
	ip := net.ParseIP(host)
	if host == "localhost" || (ip != nil && ip.IsLoopback()) || allow {
		return nil
	}
	return fmt.Errorf("--listen %s can be reached from other machines and has no TLS; use 127.0.0.1, or --allow-listen if you mean it", address)
}
