package feed

import "github.com/google/uuid"

// Changed is closed when the feed next moves. Take it before looking.
func (f *Feed) Changed() <-chan struct{} {
	_, changed := f.wakeup.next()
	return changed
}

// Reached is the position in a shard up to which a store that pulls with this cursor has
// taken everything in. The errors are those of Page.
func (f *Feed) Reached(store uuid.UUID, cursor string, in int) (uint64, error) {
	at, err := f.decodeCursor(cursor, store)
	return at.Heads[in], err
}
