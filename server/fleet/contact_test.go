package fleet

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestContactsAreWrittenRarelyAndQueuesAtOnce(t *testing.T) {
	n := noted{heard: map[uuid.UUID]heard{}}
	id, start := uuid.New(), time.Unix(1_800_000_000, 0)
	for i, c := range []struct {
		after       time.Duration
		epoch       uint32
		head, acked uint64
		write       bool
		queue       uint64
	}{
		{0, 1, 10, 10, true, 0},                  // first heard of
		{time.Second, 1, 20, 20, false, 0},       // nothing new to a person
		{2 * time.Second, 1, 0, 0, false, 0},     // a pull says no numbers
		{3 * time.Second, 1, 500, 20, true, 480}, // a queue came
		{4 * time.Second, 1, 120, 120, false, 380},
		{5 * time.Second, 1, 500, 500, true, 0}, // and went
		{34 * time.Second, 1, 501, 501, false, 0},
		{35 * time.Second, 1, 0, 0, true, 0}, // half a minute
		{36 * time.Second, 2, 1, 1, true, 0}, // another epoch
	} {
		got, write := n.hear(EpochContact{id, c.epoch, Contact{start.Add(c.after), c.head, c.acked}})
		if write != c.write || got.Queue() != c.queue || !got.LastContactAt.Equal(start.Add(c.after)) {
			t.Errorf("contact %d: write %v, %+v", i, write, got)
		}
	}
	n.forget(id)
	if _, write := n.hear(EpochContact{id, 2, Contact{LastContactAt: start.Add(37 * time.Second)}}); !write {
		t.Error("a contact that could not be written is not tried again")
	}
}
