package ingest

// Acquire lets tests take room.
func (l *Limiter) Acquire(n int) (func(), error) { return l.acquire(n) }
