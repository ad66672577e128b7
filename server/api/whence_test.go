package api

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func proxies(t interface{ Fatal(...any) }, texts ...string) Proxies {
	p, err := ReadProxies(texts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOnlyTrustedProxiesSayForWhomTheySpeak(t *testing.T) {
	p := proxies(t, "10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48")
	for _, c := range []struct {
		name, peer string
		headers    []string
		want       string
	}{
		{"directly", "198.51.100.9", nil, "198.51.100.9"},
		{"forged by a stranger", "198.51.100.9", []string{"203.0.113.5"}, "198.51.100.9"},
		{"forged by a stranger to look like a proxy", "198.51.100.9", []string{"203.0.113.5, 10.0.0.1"}, "198.51.100.9"},
		{"through a proxy", "10.0.0.1", []string{"203.0.113.5"}, "203.0.113.5"},
		{"through a proxy that says nothing", "10.0.0.1", nil, "10.0.0.1"},
		{"forged through a proxy", "10.0.0.1", []string{"1.1.1.1, 203.0.113.5"}, "203.0.113.5"},
		{"forged in a header of its own", "10.0.0.1", []string{"1.1.1.1", "203.0.113.5"}, "203.0.113.5"},
		{"through two proxies", "10.0.0.1", []string{"1.1.1.1, 203.0.113.5, 192.0.2.7"}, "203.0.113.5"},
		{"forged proxies through a proxy", "10.0.0.1", []string{"10.9.9.9, 203.0.113.5"}, "203.0.113.5"},
		{"from a proxy itself", "10.0.0.1", []string{"10.0.0.2"}, "10.0.0.2"},
		{"nonsense", "10.0.0.1", []string{"unknown"}, "10.0.0.1"},
		{"nonsense behind a proxy", "10.0.0.1", []string{"203.0.113.5, <script>, 192.0.2.7"}, "192.0.2.7"},
		{"empty parts", "10.0.0.1", []string{"203.0.113.5,,"}, "10.0.0.1"},
		{"with a port", "10.0.0.1", []string{"203.0.113.5:40123"}, "203.0.113.5"},
		{"IPv6 with a port", "2001:db8:1::5", []string{"[2001:db8:2::9]:443"}, "2001:db8:2::9"},
		{"IPv6 in brackets", "2001:db8:1::5", []string{"[2001:db8:2::9]"}, "2001:db8:2::9"},
		{"IPv4 in IPv6", "::ffff:10.0.0.1", []string{"::ffff:203.0.113.5"}, "203.0.113.5"},
	} {
		if got := p.client(netip.MustParseAddr(c.peer), c.headers); got.String() != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Whatever somebody writes who is no proxy of ours, they are counted as themselves.
func TestWhatAStrangerWritesChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := proxies(t, "10.0.0.0/8")
		stranger := netip.AddrFrom4([4]byte{203, 0, 113, rapid.Byte().Draw(t, "host")})
		part := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"10.0.0.1", "10.9.9.9", "1.1.1.1", "", "::1"}))
		forged := strings.Join(rapid.SliceOfN(part, 0, 5).Draw(t, "forged"), ",")
		if got := p.client(stranger, []string{forged}); got != stranger {
			t.Fatalf("directly: %s", got)
		}
		through := []string{forged + ", " + stranger.String(), "10.0.0.2"}
		if got := p.client(netip.MustParseAddr("10.0.0.1"), through); got != stranger {
			t.Fatalf("through two proxies: %s", got)
		}
	})
}

func TestReadProxies(t *testing.T) {
	if p := proxies(t, " 10.1.2.3/8 ", "::ffff:192.0.2.0/120", "::1"); p[0].String() != "10.0.0.0/8" || p[1].String() != "192.0.2.0/24" || p[2].String() != "::1/128" {
		t.Errorf("read %v", p)
	}
	for _, bad := range []string{"", "proxy", "10.0.0.0/33", "0.0.0.0/0", "::/0", "fe80::1%eth0", "10.0.0.1:80"} {
		if p, err := ReadProxies([]string{bad}); err == nil {
			t.Errorf("%q is read as %v", bad, p)
		}
	}
}
