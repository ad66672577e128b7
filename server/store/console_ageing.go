package store

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/console"
)

// ageingRows lists unsettled exceptions by age. The lines are sums, so there are few beside
// what they sum, and they are read whole; the place of one is its number.
func (db *DB) ageingRows(ctx context.Context, q console.Query) ([]console.Found, error) {
	at, _ := q.Filters["at"].(time.Time)
	if at.IsZero() || at.After(q.Now) {
		at = q.Now
	}
	aged, err := db.Standing(ctx, at)
	if err != nil {
		return nil, err
	}
	lines := casework.Lines(aged)
	from := 0
	if q.After != nil {
		from = int(q.After.Then) + 1
	}
	if q.Order.Down {
		slices.Reverse(lines)
	}
	var out []console.Found
	for i := max(0, from); i < len(lines) && len(out) < q.Limit; i++ {
		l := lines[i]
		row := console.Row{l.Kind, l.Liable, nil, l.StoreCode, l.Unit, l.Currency, l.Total.N, l.Total.Amount, l.Total.Money}
		if l.Store != uuid.Nil {
			row[2] = l.Store.String()
		}
		for _, c := range l.Cells {
			row = append(row, c.N, c.Amount, c.Money)
		}
		out = append(out, console.Found{Row: row, Place: console.Place{Text: l.Kind, Key: binary.BigEndian.AppendUint64(nil, uint64(i)), Then: int64(i)}})
	}
	return out, nil
}
