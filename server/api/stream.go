package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/console"
)

// Bounds of answers that are written piece by piece.
const (
	// filesAtOnce of one process: each takes a connection to the database and a core.
	filesAtOnce = 2
	// fileTime bounds one file, pieceTime one piece of any stream.
	fileTime  = 10 * time.Minute
	pieceTime = 30 * time.Second
	heartbeat = 15 * time.Second
)

// piecewise writes to a client with a deadline for each piece: the server's own covers a
// whole answer. Deadlines of connections are of the machine's clock, whatever HQ goes by.
type piecewise struct {
	to   *bufio.Writer
	conn net.Conn
}

func (p piecewise) Write(b []byte) (int, error) {
	if err := p.conn.SetWriteDeadline(clock.System{}.Now().Add(pieceTime)); err != nil {
		return 0, err
	}
	n, err := p.to.Write(b)
	if err == nil {
		err = p.to.Flush()
	}
	return n, err
}

// GetListFile implements StrictServerInterface.
func (h handlers) GetListFile(ctx context.Context, r GetListFileRequestObject) (GetListFileResponseObject, error) {
	if err := h.takeFile(); err != nil {
		return nil, err
	}
	f, err := h.o.Lists.File(ctx, asked(r.List, r.Params), console.Format(r.Params.Format), valueOf(r.Params.Mark))
	if err != nil {
		<-h.files
		return nil, err
	}
	return download{handlers: h, file: f}, nil
}

// takeFile takes one of the places for files that are made at once.
func (h handlers) takeFile() error {
	select {
	case h.files <- struct{}{}:
		return nil
	default:
		return &problem.Error{Code: problem.Backpressure, Detail: "other files are being made", RetryAfter: comeAgain}
	}
}

// download is a file on its way.
type download struct {
	handlers
	file console.File
}

// VisitGetListFileResponse implements the generated interface. When the list cannot be
// read to its end the connection is cut, so that nobody takes half a file for the whole.
func (d download) VisitGetListFileResponse(c *fiber.Ctx) error { return d.send(c) }

// VisitGetStatementFileResponse implements the generated interface.
func (d download) VisitGetStatementFileResponse(c *fiber.Ctx) error { return d.send(c) }

func (d download) send(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, d.file.ContentType)
	c.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": d.file.Name}))
	conn := c.Context().Conn()
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer func() { <-d.files }()
		ctx, cancel := context.WithTimeout(d.stopping, fileTime)
		defer cancel()
		out := bufio.NewWriterSize(piecewise{w, conn}, 32<<10)
		err := d.file.Write(ctx, out)
		if err == nil {
			err = out.Flush()
		}
		if err != nil {
			_ = conn.Close() // what is left to say cannot be said any more
		}
	})
	return nil
}

// StreamConsoleEvents implements StrictServerInterface.
func (h handlers) StreamConsoleEvents(ctx context.Context, _ StreamConsoleEventsRequestObject) (StreamConsoleEventsResponseObject, error) {
	changes, end, ok := h.o.Watch.Open()
	if !ok {
		return nil, &problem.Error{Code: problem.TooManyRequests, Detail: "too many pages watch", RetryAfter: comeAgain}
	}
	// What changes from here on is told: nobody may have looked for a while.
	if err := h.o.Watch.Look(ctx); err != nil {
		end()
		return nil, err
	}
	return changeStream{handlers: h, changes: changes, end: end, token: callerOf(ctx).token}, nil
}

// changeStream is the answer of /events/console.
type changeStream struct {
	handlers
	changes <-chan []string
	end     func()
	token   string
}

// VisitStreamConsoleEventsResponse implements the generated interface. Nobody says when a
// reader has gone: the next write does, at the latest the next heartbeat, which also looks
// whether the session goes on.
func (s changeStream) VisitStreamConsoleEventsResponse(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "text/event-stream")
	conn := c.Context().Conn()
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer s.end()
		s.write(piecewise{w, conn})
	})
	return nil
}

func (s changeStream) write(out io.Writer) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	_, err := io.WriteString(out, ": watching\n\n")
	for err == nil {
		select {
		case topics, open := <-s.changes:
			if !open {
				return
			}
			raw, jerr := json.Marshal(map[string]any{"topics": topics})
			if jerr != nil {
				return
			}
			_, err = fmt.Fprintf(out, "event: changed\ndata: %s\n\n", raw)
		case <-beat.C:
			if !s.goesOn() {
				return
			}
			_, err = io.WriteString(out, ": still here\n\n")
		}
	}
}

// goesOn tells whether the session of the stream has not ended.
func (s changeStream) goesOn() bool {
	ctx, cancel := context.WithTimeout(s.stopping, pieceTime)
	defer cancel()
	_, _, err := s.o.People.Authenticate(ctx, s.token)
	return problem.CodeOf(err) != problem.Unauthenticated
}
