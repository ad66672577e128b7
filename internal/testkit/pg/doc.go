// Package pg starts a private PostgreSQL from Debian's binaries for one test, or one for
// all tests of a package.
//
// It promises that the server listens on a Unix socket in its own folder only,
// runs as an unprivileged user, and is stopped and removed when the test, or the package, ends.
// Where the binaries are missing it skips the test aloud. It must never be
// imported by anything that ships.
package pg
