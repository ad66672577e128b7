package doctor

import (
	"net"
	"net/url"
	"strings"
)

// Public looks at the address at which shoppers reach HQ.
func Public(address string) Finding {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return find(PublicURL, Error, "%q is no web address", address)
	case u.Scheme != "https":
		return find(PublicURL, Warn, "%s is not https", address)
	}
	return find(PublicURL, OK, "shoppers reach HQ at %s", address)
}

// Service looks at the address that stands in Apple passes. selfMade says that no real
// phone is meant.
func Service(address string, selfMade bool) Finding {
	level := Error
	if selfMade {
		level = Warn
	}
	switch u, err := url.Parse(address); {
	case err != nil || u.Scheme != "https":
		return find(AppleService, level, "the web service address in passes is %s: iPhones want https", address)
	case private(u.Hostname()):
		return find(AppleService, level, "the web service address in passes is %s: phones outside do not reach it", address)
	}
	return find(AppleService, OK, "passes name the web service %s", address)
}

// Callback looks at the address that stands in Google's classes. double says that Google
// is played by a program on this machine.
func Callback(address string, double bool) Finding {
	switch u, err := url.Parse(address); {
	case double:
		return find(GoogleCallback, Unknown, "callbacks go to %s; Google is played by another program", address)
	case err != nil || u.Scheme != "https" || private(u.Hostname()):
		return find(GoogleCallback, Warn, "Google cannot call %s back", address)
	}
	return find(GoogleCallback, OK, "Google calls back at %s", address)
}

// private says whether a host is this machine or one of a private network.
func private(host string) bool {
	ip := net.ParseIP(host)
	if ip == nil {
		return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".local") || !strings.Contains(host, ".")
	}
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()
}

// Reach looks at how HQ's own public address answered: its status and what went wrong.
func Reach(address string, status int, err error) Finding {
	switch {
	case err != nil:
		return find(Reachable, Warn, "%s was not reached from here: %v", address, err)
	case status != 200:
		return find(Reachable, Warn, "%s answered %d: another server stands there, or HQ is not ready", address, status)
	}
	return find(Reachable, OK, "%s answers", address)
}
