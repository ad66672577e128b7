// Package casework is what HQ's people do about exceptions: who looks after one, until when
// it should be settled, what they noted, who answers for it, and how it was settled among
// people. Above a limit one person proposes and another decides. Rules that two people put
// in force do the routine part.
//
// It promises:
//   - A settled exception says by whom, how and why, and nothing noted is ever changed.
//   - It never touches what the ledger thinks of a fact by itself. Points move by adjustments
//     and decisions of people only: to release or reject is a decision of the ledger's, which
//     a person makes here, or two; a rule never does.
//   - What needs two people is done by two: by two ids of the directory, whatever sessions
//     they use. It is done once, whoever is at it at the same time.
//   - A rule touches no exception that a person has worked on, settles none that needs two
//     people, and settles no more in a day than its cap.
//   - How an exception stood can be told as of any past time.
//
// What needs two people, when something is due, whether a rule fits and what is suggested
// are pure functions.
//
// It must never import HTTP or a database: it names the storage it needs.
package casework
