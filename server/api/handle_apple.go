package api

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/server/pass"
)

// The PassKit web service: five calls that phones make, with the statuses that Apple
// names (developer.apple.com, "PassKit Web Service Reference"), and the first download.
const (
	applePath      = "/wallet/apple/"
	appleDevices   = applePath + "v1/devices/:device/registrations/:type"
	applePass      = applePath + "v1/passes/:type/:serial"
	appleLog       = applePath + "v1/log"
	appleDownload  = applePath + "passes/:ticket"
	typePass       = "application/vnd.apple.pkpass"
	typePasses     = "application/vnd.apple.pkpasses"
	appleScheme    = "ApplePass "
	appleBodyLimit = 64 << 10
)

// routeApple serves phones. Where there are no passes nothing is at these addresses.
func (s *Server) routeApple() {
	if s.o.Passes == nil || !s.o.Passes.HasApple() {
		return
	}
	s.app.Post(appleDevices+"/:serial", s.appleRegister)
	s.app.Delete(appleDevices+"/:serial", s.appleUnregister)
	s.app.Get(appleDevices, s.appleList)
	s.app.Get(applePass, s.appleFetch) // Fiber answers HEAD with the same
	s.app.Post(appleLog, s.appleLog)
	s.app.Get(appleDownload, s.appleDownload)
}

// parameter is a part of the path as it was meant. Immutable makes it a copy.
func parameter(c *fiber.Ctx, name string) string {
	raw := c.Params(name)
	text, err := url.PathUnescape(raw)
	if err != nil {
		return raw
	}
	return text
}

// appleCaller is who asks, as the headers and the path say.
func appleCaller(c *fiber.Ctx) pass.Caller {
	token, _ := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), appleScheme)
	return pass.Caller{PassType: parameter(c, "type"), Serial: parameter(c, "serial"), Token: token}
}

func (s *Server) appleRegister(c *fiber.Ctx) error {
	pushToken, err := pass.ReadPushToken(c.BodyRaw())
	if err != nil {
		// Who cannot be identified is told that first.
		if _, lerr := s.o.Passes.Look(c.UserContext(), appleCaller(c)); lerr != nil {
			return lerr
		}
		return err
	}
	isNew, err := s.o.Passes.Register(c.UserContext(), appleCaller(c), parameter(c, "device"), pushToken)
	switch {
	case err != nil:
		return err
	case isNew:
		c.Status(fiber.StatusCreated)
	}
	return nil
}

func (s *Server) appleUnregister(c *fiber.Ctx) error {
	return s.o.Passes.Unregister(c.UserContext(), appleCaller(c), parameter(c, "device"))
}

func (s *Server) appleList(c *fiber.Ctx) error {
	serials, tag, err := s.o.Passes.UpdatedSince(c.UserContext(), parameter(c, "type"), parameter(c, "device"), c.Query("passesUpdatedSince"))
	switch {
	case err != nil:
		return err
	case len(serials) == 0:
		c.Status(fiber.StatusNoContent)
		return nil
	}
	// lastUpdated is text: of a number phones make nothing, and say nothing.
	return c.JSON(struct {
		SerialNumbers []string `json:"serialNumbers"`
		LastUpdated   string   `json:"lastUpdated"`
	}{serials, tag})
}

func (s *Server) appleFetch(c *fiber.Ctx) error {
	have, _ := http.ParseTime(c.Get(fiber.HeaderIfModifiedSince)) // what cannot be read is no condition
	if c.Method() == fiber.MethodHead {
		p, err := s.o.Passes.Look(c.UserContext(), appleCaller(c))
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, typePass)
		modified(c, p.Modified)
		if s.o.Passes.Has(p, have) {
			c.Status(fiber.StatusNotModified)
		}
		return nil
	}
	got, err := s.o.Passes.Fetch(c.UserContext(), appleCaller(c), have)
	if err != nil {
		return err
	}
	modified(c, got.Modified)
	if got.Same {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	c.Set(fiber.HeaderContentType, typePass)
	return c.Send(got.Body)
}

func modified(c *fiber.Ctx, at time.Time) {
	c.Set(fiber.HeaderLastModified, at.UTC().Format(http.TimeFormat))
}

func (s *Server) appleLog(c *fiber.Ctx) error {
	lines, err := pass.ReadLogLines(c.BodyRaw())
	if err != nil {
		return err
	}
	return s.o.Passes.AddLog(c.UserContext(), lines)
}

func (s *Server) appleDownload(c *fiber.Ctx) error {
	got, err := s.o.Passes.Download(c.UserContext(), parameter(c, "ticket"))
	if err != nil {
		return err
	}
	kind, name := typePass, "card.pkpass"
	if got.Bundle {
		kind, name = typePasses, "cards.pkpasses"
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, `inline; filename="`+name+`"`)
	modified(c, got.Modified)
	return c.Send(got.Body)
}
