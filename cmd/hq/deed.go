package main

import (
	"context"
	"fmt"
	"os"
	"os/user"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/store"
)

// deed writes into the audit log what was done at the command line, where nobody signs
// in: by which user of which machine, as far as the system says. Operation is named as
// in the API, detail is without personal data and secrets.
func deed(ctx context.Context, db *store.DB, operation, command, detail string) error {
	who := "command line"
	if u, err := user.Current(); err == nil {
		who += " (" + u.Username + ")"
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // the log then says less; what was done stands
	}
	act := people.Act{ID: newID(), At: clock.System{}.Now().UTC(), Name: who, Operation: operation, Subject: "hq " + command, Detail: detail, Address: host}
	if err := db.AddAct(ctx, act); err != nil {
		return fmt.Errorf("write %s into the audit log: %w", command, err)
	}
	return nil
}
