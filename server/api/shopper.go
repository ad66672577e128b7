package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/card"
)

// cardPath is where the shopper's page calls.
const cardPath = basePath + "/card/"

// cardCookieName is the cookie of a browser that shows a card.
const cardCookieName = "tallystick_card"

// shoppers are the operations of a browser that shows a card; strangers those of one
// that shows none. A test holds both to the document.
var (
	shoppers = map[string]bool{
		"EndCardSession": true, "GetCard": true, "ChangeCard": true, "LeaveCard": true, "ConfirmCardAgain": true, "AgreeOnCard": true,
		"ListCardHistory": true, "ListCardStores": true, "ClaimOnCard": true, "ExportCard": true,
		"PrintCardPDF": true, "PrintCardPNG": true, "PrintCardSVG": true,
		"GetCardApplePass": true, "SaveCardToGoogle": true, "GiftVoucher": true, "TakeBackGift": true,
	}
	strangers = map[string]bool{
		"GetCardProgramme": true, "JoinCard": true, "RequestCardLink": true, "OpenCardLink": true,
		"GetGift": true, "GetGiftApplePass": true, "SaveGiftToGoogle": true,
	}
)

// strangersPaths are where strangers may call.
var strangersPaths = map[string]bool{cardPath + "join": true, cardPath + "links": true, cardPath + "links/open": true}

// giftsPath is below which the secret of a gift stands, which is all the right there is.
const giftsPath = cardPath + "gifts/"

// freeJoins is how often a stranger at one network address may join or ask for a link
// before each further try waits longer. A store's network is one address.
const freeJoins = 60

// shopperKey is the context key of the card that a browser shows.
type shopperKey struct{}

func shopperOf(ctx context.Context) card.Session {
	s, _ := ctx.Value(shopperKey{}).(card.Session)
	return s
}

// admitShopper is authenticate for the shopper's page: a cookie instead of a token, and
// no write that another site's page sends.
func (s *Server) admitShopper(c *fiber.Ctx) error {
	if writes(c.Method()) && foreign(c) {
		return problem.New(problem.ForeignOrigin, "the request comes from another site's page")
	}
	switch {
	case c.Path() == cardPath+"programme":
		return c.Next()
	case strings.HasPrefix(c.Path(), giftsPath) && !writes(c.Method()):
		return c.Next()
	case strangersPaths[c.Path()], strings.HasPrefix(c.Path(), giftsPath):
		return s.admitStranger(c)
	}
	session, err := s.o.Cards.Authenticate(c.UserContext(), c.Cookies(cardCookieName))
	if err != nil {
		return err
	}
	c.SetUserContext(context.WithValue(c.UserContext(), shopperKey{}, session))
	return c.Next()
}

func (s *Server) admitStranger(c *fiber.Ctx) error {
	now, from := s.o.Clock.Now(), network(s.from(c))
	if wait := s.joins.Wait(from, now); wait > 0 {
		return &problem.Error{
			Code: problem.TooManyRequests, Detail: "too many requests from this address", RetryAfter: max(1, int((wait+time.Second-1)/time.Second)),
		}
	}
	s.joins.Fail(from, freeJoins, now)
	return c.Next()
}

// foreign says whether a browser names another site's page. A write without an origin
// comes from no page.
func foreign(c *fiber.Ctx) bool {
	return crossSite(c) || c.Get(fiber.HeaderOrigin) != "" && !ownOrigin(c)
}

// cardCookie is the cookie for a secret. Lax, since the page is opened from a mail.
func (h handlers) cardCookie(secret string) *string {
	return h.bake(secret, int(card.SessionLife/time.Second))
}

func (h handlers) noCardCookie() *string { return h.bake("", 0) }

func (h handlers) bake(value string, seconds int) *string {
	cookie := http.Cookie{
		Name: cardCookieName, Value: value, Path: cardPath, MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: h.o.Cards.Secure(),
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	text := cookie.String()
	return &text
}
