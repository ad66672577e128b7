package main

import (
	"log/slog"
	"time"

	"github.com/tallystick/tallystick/server/rounds"
)

const (
	// countEvery is how often the figures of the console are counted on.
	countEvery = time.Second
	// certifyEvery is how often it is looked whether a store's day is complete.
	certifyEvery = time.Second
	// settleEvery is how often settlement follows the ledger.
	settleEvery = 5 * time.Second
	// sumEvery is how often what moved is added to what members are owed.
	sumEvery = 5 * time.Second
	// caseworkEvery is how often exceptions get their due dates, and rules work on them.
	caseworkEvery = 5 * time.Second
	// booksEvery is how often it is looked for files of till software to read, lateEvery for
	// entries that came after their day was matched with them.
	booksEvery = 2 * time.Second
	lateEvery  = time.Minute
)

// rounds are what one replica does for all from time to time.
func (o *office) rounds(mine rounds.Turn, log *slog.Logger) []loop {
	failed := func(what string) func(error) {
		return func(err error) { log.Error(what+"; it is tried again", "error", err) }
	}
	return []loop{
		rounds.Elected(countEvery, mine, o.count, failed("figures could not be counted")),
		rounds.Elected(certifyEvery, mine, o.storeDays.Round, failed("days could not be certified")),
		rounds.Elected(booksEvery, mine, o.books.Round, failed("books of till software could not be read")),
		rounds.Elected(lateEvery, mine, o.books.Late, failed("late entries could not be looked for")),
		rounds.Elected(sumEvery, mine, o.liability.Sum, failed("what is owed could not be summed")),
		rounds.Elected(caseworkEvery, mine, o.cases.Round, failed("exceptions could not be worked on")),
		rounds.Elected(settleEvery, mine, o.settlement.Round, failed("settlement could not go on")),
	}
}
