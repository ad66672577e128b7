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
	// caseworkEvery is how often exceptions get their due dates, and rules work on them.
	caseworkEvery = 5 * time.Second
)

// rounds are what one replica does for all from time to time.
func (o *office) rounds(mine rounds.Turn, log *slog.Logger) []loop {
	failed := func(what string) func(error) {
		return func(err error) { log.Error(what+"; it is tried again", "error", err) }
	}
	return []loop{
		rounds.Elected(countEvery, mine, o.count, failed("figures could not be counted")),
		rounds.Elected(certifyEvery, mine, o.storeDays.Round, failed("days could not be certified")),
		rounds.Elected(caseworkEvery, mine, o.cases.Round, failed("exceptions could not be worked on")),
		rounds.Elected(settleEvery, mine, o.settlement.Round, failed("settlement could not go on")),
	}
}
