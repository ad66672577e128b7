// Package quarter plays a quarter of a chain of stores against head office, and holds all
// that head office says of it against what really happened.
//
// Head office is the production code on a real database, in this process, because a
// quarter must go by in minutes: its clock is handed in. Terminals are journals signed
// with keys of their own, chained and delivered as batches; what tills decide is not
// played here (package sim does). What really happened is kept by package truth, which
// shares no code with head office.
//
// It promises that one seed is one quarter, that every fault and every fraud in it was
// planted by name, and that whatever head office says otherwise than the truth, finds that
// was not planted or does not find that was, is named in the report.
//
// It must never be imported by anything that ships.
package quarter
