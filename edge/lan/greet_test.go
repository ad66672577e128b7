package lan_test

import (
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/lan"
	"github.com/tallystick/tallystick/sync/entry"
)

// A start that waits for the first look at the configured lanes knows then whether its
// journal was rolled back or copied, and is not accused when it was merely killed.
func TestG6_TheFirstLookTellsACopy(t *testing.T) {
	for name, tt := range map[string]struct {
		kept  int // entries the disk has
		wrote int // entries written since, elsewhere than on the original
		want  []entry.WitnessFinding
	}{
		"killed and started again":  {kept: 5},
		"restored from yesterday":   {kept: 3, want: []entry.WitnessFinding{entry.WitnessRollback}},
		"restored, and sold before": {kept: 3, wrote: 2, want: []entry.WitnessFinding{entry.WitnessFork}},
	} {
		t.Run(name, func(t *testing.T) {
			_, till, first := parted(t)
			again := till.copyOf(tt.kept)
			for range tt.wrote {
				again.write("sale of the copy")
			}
			second := node(t, again, "", nil, "127.0.0.1:1", first.Addr().String()) // one lane is off
			<-second.Greeted()
			if got := again.told(); len(got) != len(tt.want) || len(got) > 0 && got[0] != tt.want[0] {
				t.Errorf("told %v, want %v", got, tt.want)
			}
			if len(tt.want) == 0 && again.witnessed() != 5 {
				t.Errorf("confirmed through %d", again.witnessed())
			}
		})
	}
}

// A witness that was switched off meanwhile still knows what its journal says.
func TestG6_ARestartedWitnessRemembers(t *testing.T) {
	shop := newStore()
	witness, till := shop.register(t), shop.register(t)
	for range 4 {
		till.write("sale")
	}
	first := node(t, witness, "", nil)
	original := node(t, till, "", nil, first.Addr().String())
	until(t, "the witness has journalled a head", func() bool {
		witness.mu.Lock()
		defer witness.mu.Unlock()
		return len(witness.saw) == 1
	})
	original.Stop()
	first.Stop()
	first = node(t, witness, "", nil)
	double := till.copyOf(3)
	second := node(t, double, "", nil, first.Addr().String())
	<-second.Greeted()
	if got := double.told(); len(got) != 1 || got[0] != entry.WitnessRollback {
		t.Errorf("told %v", got)
	}
	until(t, "the witness journals the finding", func() bool { return len(witness.findings(till.id)) == 1 })
}

// What a lane remembers from very long ago may be pruned where it was written. Nobody is
// accused, and the lanes go on talking.
func TestAHeadOfPrunedEntriesAccusesNobody(t *testing.T) {
	shop := newStore()
	witness, till := shop.register(t), shop.register(t)
	till.write("sale")
	first := node(t, witness, "", nil)
	second := node(t, till, "", nil, first.Addr().String())
	until(t, "the witness knows the lane", func() bool { return till.witnessed() == 2 })
	second.Stop()
	first.Stop()
	for range 9 {
		till.write("sale")
	}
	till.mu.Lock()
	till.pruned = 6
	till.mu.Unlock()
	first = node(t, witness, "", nil)
	second = node(t, till, "", nil, first.Addr().String())
	until(t, "the lane is seen", func() bool { return up(second, witness.id) })
	if len(till.told())+len(witness.findings(till.id)) != 0 {
		t.Error("a lane that pruned was accused")
	}
}

// A lane that takes the question and says nothing holds nobody up for longer than a look.
func TestASilentLaneHoldsUpNoStart(t *testing.T) {
	shop := newStore()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r := shop.register(t)
	n, err := lan.New(lan.Config{
		Listen: "127.0.0.1:0", Static: []string{silent.Addr().String()}, Store: shop.id, Private: r.signer.Private(), Random: rand.Reader,
		Terminal: r, HTTP: http.DefaultClient, Clock: shop.clock, Log: slog.New(slog.DiscardHandler),
		Timing: lan.Timing{Request: 50 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	select {
	case <-n.Greeted():
	case <-time.After(20 * time.Second):
		t.Error("still waiting")
	}
}
