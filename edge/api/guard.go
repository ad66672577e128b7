package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
)

// guard lets only programs of this machine in: those that name it by a loopback
// name (a rebound foreign name is refused), come from no foreign page, and have
// read the token file, or are the till's own page.
type guard struct {
	hosts    []string // with the port
	origins  []string
	token    [sha256.Size]byte
	sessions sessions
	now      func() time.Time
}

func newGuard(token, port string, extra []string, now func() time.Time) *guard {
	g := &guard{token: sha256.Sum256([]byte(token)), sessions: newSessions(token, port), now: now}
	for _, name := range append([]string{"127.0.0.1", "localhost", "::1"}, extra...) {
		host := net.JoinHostPort(name, port)
		g.hosts = append(g.hosts, host)
		g.origins = append(g.origins, "http://"+host)
	}
	return g
}

// check refuses in the order in which it gives least away: place, page, token.
func (g *guard) check(c *fiber.Ctx) error {
	if !slices.Contains(g.hosts, strings.ToLower(string(c.Request().Host()))) {
		return problem.New(problem.ForeignOrigin, "the Host header is not this agent's address")
	}
	if origin := c.Get(fiber.HeaderOrigin); origin != "" && !slices.Contains(g.origins, strings.ToLower(origin)) {
		return problem.New(problem.ForeignOrigin, "the Origin header is not this agent's address")
	}
	switch c.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return problem.New(problem.ForeignOrigin, "the browser says that another site makes this call")
	}
	// As the router sees it: decoded and shortened, the path of another call could
	// come out as this one.
	if c.Path() == "/healthz" || isPage(c.Path()) {
		return c.Next()
	}
	if g.fromPage(c) {
		return c.Next()
	}
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	given := sha256.Sum256([]byte(token))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(given[:], g.token[:]) != 1 {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return problem.New(problem.Unauthenticated, "the bearer token of this agent is missing or wrong")
	}
	return c.Next()
}

// fromPage tells whether the till's page makes this call: it has a session, and a call
// that could change something must say by its Origin that it is that page. (Reading
// calls of one's own page have no Origin; what a foreign page gets it cannot read.)
func (g *guard) fromPage(c *fiber.Ctx) bool {
	if c.Get(fiber.HeaderAuthorization) != "" || !g.sessions.good(c, g.now()) {
		return false
	}
	reads := c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead
	return reads || c.Get(fiber.HeaderOrigin) != ""
}

// secure sets the headers that keep answers out of frames, caches and sniffers.
func secure(c *fiber.Ctx) error {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Next()
}
