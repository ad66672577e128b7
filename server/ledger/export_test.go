package ledger

// BreakBetween makes every Apply fail with fn's error after a set has been posted
// and before its cursors move.
func (l *Ledger) BreakBetween(fn func() error) { l.betweenSteps = fn }

// Forget breaks exactly-once: every source is taken for new.
func (l *Ledger) Forget(on bool) { l.forgetful = on }
