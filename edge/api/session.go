package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// sessionLife is how long a session is good; the page renews it before that.
const sessionLife = 12 * time.Hour

// sessions makes and checks the cookie by which the till's page is known. A session is
// its end and a MAC over it under a key made of the token, so it outlives a restart
// of the agent and needs no memory. The port is in the cookie's name, because browsers
// send one host's cookies to all its ports and a machine may have several agents.
type sessions struct {
	name string
	key  [sha256.Size]byte
}

func newSessions(token, port string) sessions {
	return sessions{name: "tallystick_till_" + port, key: sha256.Sum256([]byte("tallystick till session v1\x00" + token))}
}

// open returns the cookie of a new session.
func (s sessions) open(now time.Time) *fiber.Cookie {
	end := strconv.FormatInt(now.Add(sessionLife).Unix(), 10)
	return &fiber.Cookie{
		Name: s.name, Value: end + "." + s.mac(end), Path: "/", MaxAge: int(sessionLife / time.Second),
		HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode,
	}
}

// good tells whether a request carries a session that has not ended.
func (s sessions) good(c *fiber.Ctx, now time.Time) bool {
	end, mac, _ := strings.Cut(c.Cookies(s.name), ".")
	if !hmac.Equal([]byte(mac), []byte(s.mac(end))) {
		return false
	}
	at, err := strconv.ParseInt(end, 10, 64)
	return err == nil && now.Unix() < at
}

func (s sessions) mac(end string) string {
	h := hmac.New(sha256.New, s.key[:])
	h.Write([]byte(end)) // a hash takes all
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
