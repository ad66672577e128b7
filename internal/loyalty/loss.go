package loyalty

// LossCause is why more was redeemed than there was.
type LossCause string

// Causes of a loss. Each loss has exactly one.
const (
	LossPolicy  LossCause = "policy"          // the policy's caps, or what HQ set aside, allowed it
	LossLane    LossCause = "lost_lane"       // a terminal is lost, or what it knew
	LossClone   LossCause = "cloned_terminal" // a right was used twice, or by another
	LossRecall  LossCause = "late_recall"     // HQ had taken the right back by grace
	LossExpired LossCause = "expired_pass"    // the pass shown had been replaced
)

// LossCauses are all causes, in the order in which they are looked for.
var LossCauses = []LossCause{LossClone, LossRecall, LossLane, LossExpired, LossPolicy}

// Cause is why a use of a right was a loss, as far as the right says.
func (f Fence) Cause() LossCause {
	switch {
	case f.Foreign:
		return LossClone
	case f.End == RightGrace:
		return LossRecall
	case f.End == RightLost, f.Unmade && f.End == RightOpen:
		return LossLane
	case f.Within == f.Amount:
		return LossPolicy
	case f.Fault == LossPolicy && f.End != RightOpen:
		return LossClone // that it had shrunk is no reason to use it after its end
	case f.Fault != "":
		return f.Fault
	}
	return LossClone
}

// Circumstances are what is known of a redemption that took more than there was.
type Circumstances struct {
	// OnRight says that it spent a right, and Fence how far that bore it out.
	OnRight bool
	Fence   Fence
	// LaneLost says that HQ heard of it from a terminal that two people had declared lost.
	LaneLost bool
	// PassReplaced says that the issue of the pass shown was not good by then, by what HQ had
	// issued and by the policy of the sale: see [Policy.IssueGood].
	PassReplaced bool
}

// Attribute says why more was redeemed than there was. What the right itself tells comes
// first, then the terminal, then the pass; what none of them explains the policy allowed.
func Attribute(c Circumstances) LossCause {
	if c.OnRight {
		if cause := c.Fence.Cause(); cause != LossPolicy {
			return cause
		}
	}
	switch {
	case c.LaneLost:
		return LossLane
	case c.PassReplaced:
		return LossExpired
	}
	return LossPolicy
}
