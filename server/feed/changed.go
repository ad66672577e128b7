package feed

// Changed is closed when the feed next moves. Take it before looking.
func (f *Feed) Changed() <-chan struct{} {
	_, changed := f.wakeup.next()
	return changed
}
