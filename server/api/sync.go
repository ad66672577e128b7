package api

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/sync/wire"
)

// pollGrace is what a long poll may take beside its wait.
const pollGrace = 15 * time.Second

func (s *Server) routeSync() {
	// The nonce goes out with every answer, a refusal above all.
	s.app.Use("/sync/v1", func(c *fiber.Ctx) error {
		c.Set(wire.HeaderNonce, s.o.Fleet.Nonce())
		return c.Next()
	})
	s.app.Post(wire.PathEnrol, s.enrol)
	s.app.Post(wire.PathHello, s.hello)
	s.app.Post(wire.PathPush, s.push)
	s.app.Get(wire.PathPull, s.pull)
	s.routeRights()
}

func (s *Server) enrol(c *fiber.Ctx) error {
	if err := s.guesses.allow(s.from(c), s.o.Clock.Now()); err != nil {
		return err
	}
	request, err := message[wire.EnrolRequest](c)
	if err != nil {
		return err
	}
	enrolment, err := s.o.Fleet.Enrol(c.UserContext(), request)
	if problem.CodeOf(err) == problem.EnrolCodeInvalid {
		s.guesses.wrong(s.from(c), s.o.Clock.Now())
	}
	if err != nil {
		return err
	}
	raw, err := wire.Marshal(enrolment)
	if err != nil {
		return err
	}
	return reply(c, raw)
}

func (s *Server) hello(c *fiber.Ctx) error {
	hello, err := message[wire.Hello](c)
	if err != nil {
		hello.Enrolment = nil // who cannot be identified is told that first
	}
	who, ierr := s.o.Fleet.IdentifyOrAdopt(c.UserContext(), c.Get(wire.HeaderProof), c.Method(), c.OriginalURL(), c.BodyRaw(), hello.Enrolment)
	if ierr != nil {
		return ierr
	}
	if err != nil {
		return err
	}
	if err := sameWriter(who, hello.V, hello.Terminal == who.Terminal.ID && hello.Epoch == who.Epoch); err != nil {
		return err
	}
	ctx, now := c.UserContext(), s.o.Clock.Now()
	from, err := s.deliverer(ctx, who)
	if err != nil {
		return err
	}
	welcome, err := s.o.Ingest.Hello(ctx, from, hello, now)
	if err != nil {
		return err
	}
	if err := s.o.Fleet.Heard(ctx, who.Terminal.ID, who.Epoch, hello.HeadSeq, welcome.HaveSeq); err != nil {
		return err
	}
	if err := s.o.Fleet.ClockSeen(ctx, who.Terminal.ID, hello.WallTime); err != nil {
		return err
	}
	if err := s.o.Fleet.Greet(ctx, who, hello, &welcome); err != nil {
		return err
	}
	raw, err := wire.Seal(s.o.Statement, wire.DomainWelcome, welcome)
	if err != nil {
		return err
	}
	return reply(c, raw)
}

// push takes a batch of anybody HQ knows, shut out or not: facts are never refused.
func (s *Server) push(c *fiber.Ctx) error {
	who, err := s.identify(c)
	if err != nil {
		return err
	}
	batch, err := message[wire.Batch](c)
	if err != nil {
		return err
	}
	if err := sameWriter(who, batch.V, batch.Terminal == who.Terminal.ID && batch.Epoch == who.Epoch); err != nil {
		return err
	}
	ctx := c.UserContext()
	from, err := s.deliverer(ctx, who)
	if err != nil {
		return err
	}
	receipt, err := s.o.Ingest.Push(ctx, from, batch, s.o.Clock.Now())
	if err != nil {
		return err
	}
	if err := s.o.Fleet.Heard(ctx, who.Terminal.ID, who.Epoch, batch.Last(), batch.Last()); err != nil {
		return err
	}
	return reply(c, receipt)
}

func (s *Server) pull(c *fiber.Ctx) error {
	who, err := s.identify(c)
	if err != nil {
		return err
	}
	if err := who.MayPull(); err != nil {
		return err
	}
	wait, err := queryInt(c, "wait", wire.MaxWaitSeconds)
	if err != nil {
		return err
	}
	items, err := queryInt(c, "max", wire.MaxFeedItems)
	if err != nil {
		return err
	}
	if err := s.o.Fleet.Heard(c.UserContext(), who.Terminal.ID, who.Epoch, 0, 0); err != nil {
		return err
	}
	page, err := s.follow(c, who.Terminal, items, time.Duration(wait)*time.Second)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.o.RequestTime) // the first one went by while it waited
	defer cancel()
	if page.Applied, err = s.applied(ctx, who); err != nil {
		return err
	}
	page.HQTime = s.o.Clock.Now().UnixMilli()
	if c.Query("heads") == "1" {
		if page.Heads, err = s.o.Fleet.Heads(ctx); err != nil {
			return err
		}
	}
	raw, err := wire.Seal(s.o.Statement, wire.DomainFeed, page)
	if err != nil {
		return err
	}
	return reply(c, raw)
}

// follow waits for the feed of a terminal's store. When too many wait already the
// terminal is told what there is, and when there is nothing to come again later.
func (s *Server) follow(c *fiber.Ctx, t fleet.Terminal, items int, patience time.Duration) (wire.FeedPage, error) {
	poll, done, ok := s.polls.begin(s.stopping, t.ID)
	defer done()
	if !ok {
		patience = 0
	}
	ctx, cancel := context.WithTimeout(poll, patience+pollGrace)
	defer cancel()
	page, err := s.o.Feed.Wait(ctx, t.Store, c.Query("cursor"), items, patience)
	switch {
	case errors.Is(err, context.Canceled):
		return page, cutShort(ctx, err)
	case err == nil && !ok && len(page.Items) == 0:
		return page, &problem.Error{Code: problem.Backpressure, Detail: "too many terminals wait", RetryAfter: comeAgain}
	}
	return page, err
}

// identify believes a request only with a proof over it exactly as it arrived.
func (s *Server) identify(c *fiber.Ctx) (fleet.Caller, error) {
	return s.o.Fleet.Identify(c.UserContext(), c.Get(wire.HeaderProof), c.Method(), c.OriginalURL(), c.BodyRaw())
}

// deliverer is the caller as ingest needs it: with the key of the epoch it proved.
// An epoch that has ended delivers like a terminal in quarantine.
func (s *Server) deliverer(ctx context.Context, who fleet.Caller) (ingest.Terminal, error) {
	return s.o.Fleet.Deliverer(ctx, who.Terminal.ID, who.Epoch)
}

func sameWriter(who fleet.Caller, version uint8, same bool) error {
	switch {
	case version < wire.MinVersion || version > wire.Version:
		return problem.Newf(problem.WireVersion, "version %d; HQ speaks %d to %d", version, wire.MinVersion, wire.Version)
	case !same:
		return problem.Newf(problem.ProofInvalid, "the message is not of the terminal %s that proves it", who.Terminal.ID)
	}
	return nil
}

// message reads a CBOR body, decompressed within the wire's own limit.
func message[T any](c *fiber.Ctx) (T, error) {
	var none T
	if mediaType(c.Get(fiber.HeaderContentType)) != wire.ContentType {
		return none, problem.New(problem.UnsupportedMedia, "the content type must be "+wire.ContentType)
	}
	raw := c.BodyRaw()
	switch encoding := c.Get(fiber.HeaderContentEncoding); encoding {
	case "", "identity":
	case "zstd":
		var err error
		if raw, err = wire.Decompress(raw); err != nil {
			return none, err
		}
	default:
		return none, problem.New(problem.UnsupportedMedia, "the content encoding must be zstd or none")
	}
	return wire.Unmarshal[T](raw)
}

// compressFrom is the size from which compressing pays.
const compressFrom = 1 << 10

func reply(c *fiber.Ctx, raw []byte) error {
	c.Set(fiber.HeaderContentType, wire.ContentType)
	if len(raw) >= compressFrom && strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "zstd") {
		c.Set(fiber.HeaderContentEncoding, "zstd")
		raw = wire.Compress(raw)
	}
	return c.Send(raw)
}

// queryInt reads a number from 0 on, cut at most. A missing one is zero: no wait, and
// as many items as there may be.
func queryInt(c *fiber.Ctx, name string, most int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badParameter(name, "must be a number from 0 to "+strconv.Itoa(most))
	}
	return min(n, most), nil
}
