package loyalty

// Replaced says that an update took the place of an issue of a pass, and when, in Unix
// milliseconds: the phone gets the next by itself. Keys are on the wire and only grow.
type Replaced struct {
	Issue uint16 `cbor:"1,keyasint"`
	At    int64  `cbor:"2,keyasint"`
}

// DefaultIssueGrace and MostIssueGrace are for how many days a phone may miss an update
// where a policy says none, and the most it may say.
const (
	DefaultIssueGrace = 7
	MostIssueGrace    = 30
)

// MostReplaced is how many issues of one pass are told of.
const MostReplaced = 16

const msPerDay = 24 * 3600 * 1000

// IssueGrace is the grace that IssueGraceDays stands for, in days.
func (p Policy) IssueGrace() int64 {
	if p.IssueGraceDays == 0 {
		return DefaultIssueGrace
	}
	return min(max(0, p.IssueGraceDays), MostIssueGrace)
}

// IssueGood decides about the issue number of a pass that was shown at a moment: the
// newest and the one before are good, and so is one that an update replaced less than the
// grace ago. Whom an older one was taken from for a reason, as when a phone was lost, is
// not told of here, and not good.
func (p Policy) IssueGood(shown, newest uint16, replaced []Replaced, at int64) bool {
	if int(shown)+1 >= int(newest) {
		return true
	}
	for _, r := range replaced {
		if r.Issue == shown {
			return at < r.At+p.IssueGrace()*msPerDay
		}
	}
	return false
}

// Issued says since when a pass has an issue number, and whether that was an update.
type Issued struct {
	Issue   uint16
	Since   int64
	Updated bool
}

// IssuesAt returns the newest issue of a pass at a moment, and the issues before it that
// updates replaced, the newest first: as far back as only updates lie between. all is in
// any order, and may leave the first issue out.
func IssuesAt(all []Issued, at int64) (newest uint16, replaced []Replaced) {
	newest = 1
	by := map[uint16]Issued{}
	for _, i := range all {
		if i.Since <= at {
			newest = max(newest, i.Issue)
			by[i.Issue] = i
		}
	}
	for n := newest; n > 1 && by[n].Updated && len(replaced) < MostReplaced; n-- {
		replaced = append(replaced, Replaced{Issue: n - 1, At: by[n].Since})
	}
	return newest, replaced
}
