package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// Lost reports whether an error says that the database is away for now: not reached,
// the connection cut in the middle, shut down, no longer the one that takes changes,
// out of room or locked by another for too long. What was under way is not known to
// have happened or not; the same request sent again finds out.
func Lost(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return lostState(pg.Code)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lostResult(lite.Code() & 0xff)
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		isAny(err, driver.ErrBadConn, sql.ErrConnDone, pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
			syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.EPIPE)
}

func isAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// lostState judges an SQLSTATE (PostgreSQL's appendix A): connection, resources,
// operator's intervention, system error; a server that has become a standby; and a
// transaction that the engine asked to be repeated once too often.
func lostState(code string) bool {
	for _, class := range []string{"08", "53", "57P", "58"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return code == "25006" || code == "40001" || code == "40P01"
}

// lostResult judges a primary result code of SQLite.
func lostResult(code int) bool {
	const (
		busy, locked, readOnly, ioError, full, cannotOpen, protocol = 5, 6, 8, 10, 13, 14, 15
	)
	switch code {
	case busy, locked, readOnly, ioError, full, cannotOpen, protocol:
		return true
	}
	return false
}
