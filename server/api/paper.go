package api

import (
	"bytes"
	"context"
	"crypto/subtle"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/paper"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/entry"
)

// How many pages about papers are answered in a minute. A digest cannot be guessed; the
// limits keep strangers from keeping the database busy.
const (
	papersEach = 60
	papersAll  = 3000
)

// routePapers answers whoever holds a certificate's paper whether it is good. Only who has
// the digest of the signed text learns anything, and that is what the paper says.
func (s *Server) routePapers() {
	s.app.Get(paper.Path+"*", func(c *fiber.Ctx) error {
		locale := paper.Prefers(c.Get(fiber.HeaderAcceptLanguage))
		c.Set(fiber.HeaderContentSecurityPolicy, paper.PagePolicy)
		if !s.visits.allow(network(s.from(c)), s.o.Clock.Now()) {
			c.Set(fiber.HeaderRetryAfter, "60")
			return showPage(c, fiber.StatusTooManyRequests)(paper.SlowPage(locale))
		}
		day, err := s.papered(c.UserContext(), strings.TrimPrefix(c.Path(), paper.Path))
		text := c.Context().QueryArgs().Has("text")
		switch {
		case problem.CodeOf(err) == problem.NotFound && !text:
			return showPage(c, fiber.StatusNotFound)(paper.NoPage(locale))
		case err != nil:
			return err
		case text:
			c.Set(fiber.HeaderContentType, "application/jwt")
			c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+day.FileName("jwt")+`"`)
			return c.SendString(day.Text + "\n")
		}
		return showPage(c, fiber.StatusOK)(day.Page(locale))
	})
}

func showPage(c *fiber.Ctx, status int) func(page []byte, err error) error {
	return func(page []byte, err error) error {
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		return c.Status(status).Send(page)
	}
}

// papered finds the certificate of a link. That there is another one of the store and the
// date is not said.
func (s *Server) papered(ctx context.Context, link string) (paper.Day, error) {
	unknown := problem.New(problem.NotFound, "head office vouches for no such certificate")
	asked, ok := paper.ReadLink(link)
	if !ok {
		return paper.Day{}, unknown
	}
	date, err := time.Parse(time.DateOnly, asked.Date)
	if err != nil {
		return paper.Day{}, unknown
	}
	kept, err := s.o.StoreDays.Certificate(ctx, asked.Store, entry.DateOf(date))
	if problem.CodeOf(err) == problem.NotFound || err == nil && subtle.ConstantTimeCompare([]byte(kept.Digest), []byte(asked.Digest)) != 1 {
		return paper.Day{}, unknown
	}
	if err != nil {
		return paper.Day{}, err
	}
	return paperOf(ctx, s.o, kept)
}

// paperOf is what a kept certificate says, with what its paper says beside it.
func paperOf(ctx context.Context, o Options, kept storeday.Certified) (paper.Day, error) {
	says, err := kept.Read()
	if err != nil {
		return paper.Day{}, err
	}
	store, err := o.Fleet.Store(ctx, kept.Store)
	if err != nil {
		return paper.Day{}, err
	}
	return paper.Day{Certificate: says, Text: kept.Text, Code: store.Code, Name: store.Name, Address: o.Address}, nil
}

// GetDayCertificatePDF implements StrictServerInterface.
func (h handlers) GetDayCertificatePDF(ctx context.Context, r GetDayCertificatePDFRequestObject) (GetDayCertificatePDFResponseObject, error) {
	locale := paper.English
	if r.Params.Locale != nil {
		locale = paper.Locale(*r.Params.Locale)
	}
	if !locale.Known() {
		return nil, badParameter("locale", "must be en, tr or pl")
	}
	kept, err := h.o.StoreDays.Certificate(ctx, r.ID, entry.DateOf(r.Date.Time))
	if err != nil {
		return nil, err
	}
	day, err := paperOf(ctx, h.o, kept)
	if err != nil {
		return nil, err
	}
	pages, err := day.PDF(locale)
	return GetDayCertificatePDF200ApplicationPdfResponse{Body: bytes.NewReader(pages), ContentLength: int64(len(pages))}, err
}

// GetStatementPDF implements StrictServerInterface. It counts among the files that are made
// at once: a month has many lines.
func (h handlers) GetStatementPDF(ctx context.Context, r GetStatementPDFRequestObject) (GetStatementPDFResponseObject, error) {
	month, err := monthOf(r.Month)
	if err != nil {
		return nil, err
	}
	of, err := h.o.Settlement.Statement(ctx, month, r.Party)
	if err != nil {
		return nil, err
	}
	if err := h.takeFile(); err != nil {
		return nil, err
	}
	defer func() { <-h.files }()
	statement := paper.NewStatement(of)
	err = h.o.Settlement.EachLine(ctx, month, r.Party, func(l settlement.Line) error {
		statement.Add(l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	// The totals were read before the lines: both must be of one draft.
	now, err := h.o.Settlement.Statement(ctx, month, r.Party)
	if err != nil {
		return nil, err
	}
	if now.CutAt != of.CutAt {
		return nil, problem.Newf(problem.Conflict, "%s was drafted anew meanwhile", month)
	}
	pages, err := statement.PDF()
	return GetStatementPDF200ApplicationPdfResponse{Body: bytes.NewReader(pages), ContentLength: int64(len(pages))}, err
}

// visits counts requests of strangers in one process, minute by minute. The zero value is
// ready; it is safe for concurrent use.
type visits struct {
	mu     sync.Mutex
	minute int64
	all    int
	each   map[string]int
}

// allow counts a request from a network and says whether it is within the limits.
func (v *visits) allow(from string, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if minute := now.Unix() / 60; minute != v.minute || v.each == nil {
		v.minute, v.all, v.each = minute, 0, map[string]int{}
	}
	if v.all >= papersAll || v.each[from] >= papersEach {
		return false
	}
	v.all++
	v.each[from]++
	return true
}
