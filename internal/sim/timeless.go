package sim

import (
	"context"
	"time"
)

// timeless is a context in which no time of this machine runs: a till's budgets for
// asking others would otherwise end a question when the machine that plays is busy, and
// one seed would not be one run. It says that its deadline is long past, so that nobody
// sets an earlier one (context.WithTimeout), and never ends by it.
type timeless struct{ context.Context }

// Deadline is before any other.
func (timeless) Deadline() (time.Time, bool) { return time.Time{}, true }
