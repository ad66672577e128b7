package api

import (
	"time"

	"github.com/tallystick/tallystick/edge/till"
)

// showBounds fills in what the terminal may do by itself, and what that can cost.
func showBounds(out *Status, st till.Status) {
	out.AppliedSeq, out.Unit, out.Caps = int64(st.Applied), st.Unit, []Cap{}
	for _, c := range st.Caps {
		counts := Points
		if c.Uses {
			counts = Uses
		}
		out.Caps = append(out.Caps, Cap{Name: CapName(c.Name), Counts: counts, Limit: c.Limit, Used: max(0, c.Used), Left: c.Left()})
	}
	out.Rights = RightsHeld{Count: int64(st.Rights.Count), Points: st.Rights.Points, Uses: st.Rights.Uses}
	e := st.Exposure
	out.Exposure = Exposure{Points: e.Points, Uses: e.Uses, Clones: e.Clones, ClonePoints: e.ClonePoints, CloneUses: e.CloneUses}
	out.Clock = clockOf(st)
	w := st.Witness
	out.Witness = WitnessState{Confirmed: w.Confirmed, Seq: int64(w.Seq), Contradicted: w.Contradicted}
	if w.Contradicted {
		out.Witness.Finding = optional(WitnessStateFinding(w.Finding.String()))
		out.Witness.BranchSeq = optional(int64(w.BranchSeq))
	}
}

func clockOf(st till.Status) ClockState {
	d := st.Drift
	out := ClockState{Trusted: st.ClockTrusted, Heard: d.Heard, Jumps: int64(d.Jumps)}
	if d.Jumps > 0 {
		out.LastJumpMs = optional(d.LastJump.Milliseconds())
	}
	if !d.Heard {
		return out
	}
	off, over := d.WallOff.Milliseconds(), int64(d.Over/time.Second)
	out.WallOffMs, out.DriftPpm, out.DriftOverSeconds = &off, &d.PPM, &over
	return out
}
