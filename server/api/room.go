package api

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/google"
)

// Limits of the bodies under way in one process, in bytes. A body that is still
// arriving holds what has arrived of it, so a slow client holds little.
const (
	// anybodysRoom is for all, knownRoom for callers who prove who they are: strangers
	// who fill the first leave the second.
	anybodysRoom = 64 << 20
	knownRoom    = 64 << 20
	// freeBytes of each body count for nothing: what a connection costs anyhow, and
	// all that signing in and enrolling need.
	freeBytes = 4 << 10
)

// room is how many bytes may still be held.
type room struct {
	mu   sync.Mutex
	left int64
}

func (r *room) take(n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n > r.left {
		return false
	}
	r.left -= n
	return true
}

func (r *room) give(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left += n
}

// rooms are those of one process.
type rooms struct{ anybody, known room }

func newRooms() *rooms {
	return &rooms{anybody: room{left: anybodysRoom}, known: room{left: knownRoom}}
}

// bodyLimit is how large a body may be at an address.
func bodyLimit(path string) int {
	switch {
	case path == wire.PathEnrol, path == basePath+"/sessions", path == sessionPath, strings.HasPrefix(path, cardPath):
		return freeBytes
	case strings.HasPrefix(path, applePath):
		return appleBodyLimit
	case path == google.CallbackPath:
		return google.MaxCallback
	case path == picturesPath:
		return brand.MaxUpload
	case isPart(path):
		return posbooks.PartSize
	case strings.HasPrefix(path, "/sync/"):
		return wire.MaxBody
	}
	return maxBody
}

// errNoRoom means that too many bodies are under way.
var errNoRoom = errors.New("too many bodies are under way")

// arriving is a body while it comes in, with what it holds of the rooms.
type arriving struct {
	rooms *rooms
	known func() bool // whether the caller proves who it is; asked when there is need
	proof bool        // known said so
	held  [2]int64    // of anybody's room, of the known ones'
}

// claim makes room for n more bytes.
func (a *arriving) claim(n int64) error {
	if a.rooms.anybody.take(n) {
		a.held[0] += n
		return nil
	}
	a.proof = a.proof || a.known()
	if a.proof && a.rooms.known.take(n) {
		a.held[1] += n
		return nil
	}
	return errNoRoom
}

// end gives back what the body held.
func (a *arriving) end() {
	a.rooms.anybody.give(a.held[0])
	a.rooms.known.give(a.held[1])
}

// read reads up to limit bytes and one more, which says that there are too many.
func (a *arriving) read(from io.Reader, limit int) ([]byte, error) {
	body := make([]byte, 0, 512)
	for len(body) <= limit {
		if len(body) == cap(body) {
			size := min(2*cap(body), limit+1)
			if more := int64(size - max(cap(body), freeBytes+1)); more > 0 {
				if err := a.claim(more); err != nil {
					return nil, err
				}
			}
			body = append(make([]byte, 0, size), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return body, nil
}

// comeAgain is when a caller comes again for whom there is no room, in seconds.
const comeAgain = 5

// takeBody reads the body as it arrived, within the limit of its address and of all
// bodies together, and puts it in place of the stream.
func (s *Server) takeBody(c *fiber.Ctx) error {
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return c.Next()
	}
	limit := bodyLimit(c.Path())
	coming := arriving{rooms: s.rooms, known: func() bool { return s.recognise(c) }}
	defer coming.end()
	body, err := coming.read(stream, limit)
	switch {
	case errors.Is(err, errNoRoom):
		c.Context().SetConnectionClose()
		_, _ = io.CopyN(io.Discard, stream, int64(limit)) // so that the answer is seen
		return &problem.Error{Code: problem.Backpressure, Detail: "too many requests are arriving at once", RetryAfter: comeAgain, Err: err}
	case err != nil:
		return problem.Wrap(problem.InvalidBody, err, "the body did not arrive whole")
	case len(body) > limit:
		c.Context().SetConnectionClose()
		_, err := io.CopyN(io.Discard, stream, maxDrain) // io.EOF: all of it
		return problem.Wrap(problem.BodyTooLarge, err, "more than "+strconv.Itoa(limit)+" bytes")
	}
	c.Request().SetBodyRaw(body)
	return c.Next()
}

// recognise says whether the headers prove who is calling, before the body is there.
func (s *Server) recognise(c *fiber.Ctx) bool {
	if proof := c.Get(wire.HeaderProof); proof != "" {
		return s.o.Fleet.Recognise(c.UserContext(), proof, c.Method(), c.OriginalURL()) == nil
	}
	token, _, ok := shown(c)
	if !ok {
		return false
	}
	_, _, err := s.o.People.Authenticate(c.UserContext(), token)
	return err == nil
}
