package api

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Proxies are the networks of the proxies in front of HQ, which say in X-Forwarded-For
// for whom they speak. Nobody else is believed. None: HQ is reached directly.
type Proxies []netip.Prefix

// ReadProxies reads networks in CIDR notation, or single addresses.
func ReadProxies(texts []string) (Proxies, error) {
	var out Proxies
	for _, text := range texts {
		text = strings.TrimSpace(text)
		p, err := netip.ParsePrefix(text)
		if err != nil {
			addr, ipErr := netip.ParseAddr(text)
			if ipErr != nil || addr.Zone() != "" {
				return nil, fmt.Errorf("read network %q: want like 10.0.0.0/8 or 192.0.2.7: %w", text, err)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if p.Bits() == 0 {
			return nil, fmt.Errorf("read network %q: it has everybody in it, and then anybody could say to be anybody", text)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func (p Proxies) has(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(a) })
}

// client is who sent a request that came from peer with these X-Forwarded-For headers.
// Each proxy adds at the right whom it heard: the rightmost address that is no proxy of
// ours was seen by one that is, and what stands left of it anybody may have written.
func (p Proxies) client(peer netip.Addr, headers []string) netip.Addr {
	seen := peer.Unmap().WithZone("")
	hops := strings.Split(strings.Join(headers, ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !p.has(seen) {
			return seen
		}
		next, ok := hopAddress(hop)
		if !ok {
			return seen
		}
		seen = next
	}
	return seen
}

// hopAddress reads one address of X-Forwarded-For; some proxies add the port.
func hopAddress(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), true
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	a, err := netip.ParseAddr(text)
	return a.Unmap().WithZone(""), err == nil
}

// from is the address of whoever sent a request, as far as HQ can know it.
func (s *Server) from(c *fiber.Ctx) string {
	ip := c.Context().RemoteIP()
	peer, ok := netip.AddrFromSlice(ip)
	if !ok || len(s.o.Proxies) == 0 {
		return ip.String()
	}
	var headers []string
	for _, h := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		headers = append(headers, string(h))
	}
	return s.o.Proxies.client(peer, headers).String()
}
