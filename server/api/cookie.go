package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
)

// The session of the console's page. Its token is in a cookie that no script can read and
// that no other site's page can send; as browsers differ, a write shows besides that it
// comes from a page of this host.
const (
	sessionPath   = basePath + "/console/session"
	cookieName    = "tallystick_console"
	headerConsole = "X-Tallystick-Console"
)

// secureKey is the context key of whether a request came over TLS.
type secureKey struct{}

// sessionCookie is the header that sets the cookie; an empty token takes it away.
func sessionCookie(token string, until time.Time, secure bool) string {
	c := http.Cookie{
		Name: cookieName, Value: token, Path: "/", Expires: until, HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode,
	}
	if token == "" {
		c.MaxAge = -1
	}
	return c.String()
}

// ownPage refuses what another site's page may have sent: a write without the console's
// header or from another origin, and a read that the browser says is another site's.
func ownPage(c *fiber.Ctx) error {
	if !writes(c.Method()) {
		if crossSite(c) {
			return problem.New(problem.ForeignOrigin, "the console's session is for its own page")
		}
		return nil
	}
	if !ownOrigin(c) || c.Get(headerConsole) == "" {
		return problem.New(problem.ForeignOrigin, "a write with the console's cookie needs its header and its origin")
	}
	return nil
}

// CreateConsoleSession implements StrictServerInterface.
func (h handlers) CreateConsoleSession(ctx context.Context, r CreateConsoleSessionRequestObject) (CreateConsoleSessionResponseObject, error) {
	in, err := h.o.People.SignIn(ctx, r.Body.Name, r.Body.Password, addressOf(ctx))
	if err != nil {
		return nil, err
	}
	if err := h.noteSession(ctx, in.Person, "CreateConsoleSession"); err != nil {
		return nil, err
	}
	secure, _ := ctx.Value(secureKey{}).(bool)
	cookie := sessionCookie(in.Token, in.ExpiresAt, secure)
	return CreateConsoleSession201JSONResponse{
		Body:    ConsoleSession{ExpiresAt: in.ExpiresAt, Person: showPerson(in.Person), Areas: areasOf(in.Person.Role)},
		Headers: CreateConsoleSession201ResponseHeaders{SetCookie: &cookie},
	}, nil
}

// GetConsoleSession implements StrictServerInterface.
func (h handlers) GetConsoleSession(ctx context.Context, _ GetConsoleSessionRequestObject) (GetConsoleSessionResponseObject, error) {
	who := callerOf(ctx)
	return GetConsoleSession200JSONResponse{ExpiresAt: who.session.ExpiresAt, Person: showPerson(who.person), Areas: areasOf(who.person.Role)}, nil
}
