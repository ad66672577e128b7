// Package lease elects one of several HQ processes on one database for a task.
//
// It promises that a task whose holder died is taken over after the term, and that
// no two clocks are compared: the holder raises a beat in the database, and a
// contender takes over when it has seen the same beat for a whole term by its own
// clock. It does not promise that there is never a second holder: one that was
// paused may believe in its lease until it looks again. What runs under a lease
// must therefore be safe when two do it; the lease only keeps them from doing the
// same work.
//
// It must never import a database driver, HTTP, or server/store; it names the
// storage it needs in [Store].
package lease
