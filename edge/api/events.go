package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/problem"
)

// Names of the events.
const (
	eventStatus = "status"
	eventSale   = "sale"
	eventVoid   = "void"
	eventReturn = "return"
	eventSync   = "sync"

	eventDayClose = "day_close"
	eventPrinter  = "printer"
)

// Bounds of event streams.
const (
	maxStreams = 16
	// maxBehind is how many events a reader may be behind before it is cut off; it
	// comes back and begins with a fresh status.
	maxBehind     = 64
	heartbeat     = 15 * time.Second
	streamTimeout = 5 * time.Second // of one write
)

// hub hands events to the open streams. It is safe for concurrent use.
type hub struct {
	mu      sync.Mutex
	streams map[chan []byte]struct{}
	stopped bool
}

func newHub() *hub { return &hub{streams: map[chan []byte]struct{}{}} }

// open returns a new stream's channel. It is closed when the stream must end.
func (h *hub) open() (chan []byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return nil, problem.New(problem.JournalStopped, "the agent is stopping")
	}
	if len(h.streams) >= maxStreams {
		return nil, problem.Newf(problem.TooManyRequests, "%d event streams are open", maxStreams)
	}
	c := make(chan []byte, maxBehind)
	h.streams[c] = struct{}{}
	return c, nil
}

func (h *hub) close(c chan []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(c)
}

// drop is called with the lock held.
func (h *hub) drop(c chan []byte) {
	if _, open := h.streams[c]; open {
		delete(h.streams, c)
		close(c)
	}
}

// heard tells whether any stream is open.
func (h *hub) heard() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams) > 0
}

func (h *hub) publish(frame []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.streams {
		select {
		case c <- frame:
		default:
			h.drop(c)
		}
	}
}

func (h *hub) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	for c := range h.streams {
		h.drop(c)
	}
}

// frame encodes one event. The bodies are this package's own types, which always
// encode.
func frame(name string, body any) []byte {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("encode %s event: %v", name, err))
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, raw)
}

// committed tells streams and syncer of a durable sale, void, return or close.
func (s *Server) committed(name string, body any) {
	if s.events.heard() {
		s.events.publish(frame(name, body))
	}
	s.cfg.Committed()
}

// StatusChanged tells the streams how the terminal stands now.
func (s *Server) StatusChanged(ctx context.Context) error {
	status, err := s.status(ctx)
	if err != nil {
		return err
	}
	s.events.publish(frame(eventStatus, status))
	return nil
}

// Synced tells the streams that HQ has acknowledged more.
func (s *Server) Synced(acked, queue uint64) {
	s.events.publish(frame(eventSync, Sync{AckedSeq: int64(acked), Queue: int64(queue)}))
}

// StreamEvents opens a stream; its first event is the status.
func (h handlers) StreamEvents(ctx context.Context, _ StreamEventsRequestObject) (StreamEventsResponseObject, error) {
	c, err := h.events.open()
	if err != nil {
		return nil, err
	}
	status, err := h.status(ctx)
	if err != nil {
		h.events.close(c)
		return nil, err
	}
	return stream{hub: h.events, events: c, first: frame(eventStatus, status), clock: h.cfg.Clock.Now}, nil
}

// stream is the answer of /v1/events.
type stream struct {
	hub    *hub
	events chan []byte
	first  []byte
	clock  func() time.Time
}

// VisitStreamEventsResponse implements the generated interface. Neither Fiber nor
// fasthttp says when a reader has gone: the next write does, at the latest the next
// heartbeat.
func (s stream) VisitStreamEventsResponse(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "text/event-stream")
	conn := c.Context().Conn()
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer s.hub.close(s.events)
		s.write(w, conn)
	})
	return nil
}

func (s stream) write(w *bufio.Writer, conn net.Conn) {
	send := func(frame []byte) bool {
		// The server's own deadline covers a whole answer, which would cut streams off.
		if err := conn.SetWriteDeadline(s.clock().Add(streamTimeout)); err != nil {
			return false
		}
		if _, err := w.Write(frame); err != nil {
			return false
		}
		return w.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for ok := send(s.first); ok; {
		select {
		case frame, open := <-s.events:
			ok = open && send(frame)
		case <-beat.C:
			ok = send([]byte(": still here\n\n"))
		}
	}
}
