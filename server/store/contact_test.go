package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/store"
)

func TestContactsOfAnEpochNeverFall(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, _ int) {
		db := open(t, dsn)
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		contactsNeverFall(t, db)
	})
}

func contactsNeverFall(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	at := time.UnixMilli(1_800_000_000_000).UTC()
	id, other := uuid.New(), uuid.New()
	hear := func(epoch uint32, after time.Duration, head, acked uint64) {
		t.Helper()
		err := db.Heard(ctx, fleet.EpochContact{Terminal: id, Epoch: epoch, Contact: fleet.Contact{
			LastContactAt: at.Add(after), HeadSeq: head, AckedSeq: acked,
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(epoch uint32, after time.Duration, head, acked uint64) {
		t.Helper()
		got, err := db.Contacts(ctx, []uuid.UUID{id, other})
		c := fleet.EpochContact{Terminal: id, Epoch: epoch, Contact: fleet.Contact{LastContactAt: at.Add(after), HeadSeq: head, AckedSeq: acked}}
		if err != nil || len(got) != 1 || got[id] != c {
			t.Errorf("%+v, %v; want %+v", got, err, c)
		}
	}
	hear(1, 0, 10, 5)
	want(1, 0, 10, 5)
	hear(1, time.Second, 8, 7) // numbers never fall
	want(1, time.Second, 10, 7)
	hear(2, 2*time.Second, 1, 0) // another epoch begins anew
	want(2, 2*time.Second, 1, 0)
	hear(1, 3*time.Second, 99, 99) // what an ended epoch says changes nothing
	want(2, 2*time.Second, 1, 0)
}
