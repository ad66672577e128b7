package settlement

import "github.com/tallystick/tallystick/server/settlement/clearing"

// The words of package clearing, for those who only read statements.
type (
	// Statement is what one party owes and is owed for a month.
	Statement = clearing.Statement
	// Line is one line of a statement.
	Line = clearing.Line
	// Group sums up lines.
	Group = clearing.Group
	// Total is a sum in one currency.
	Total = clearing.Total
	// Note is a credit or debit note of a statement.
	Note = clearing.Note
	// Remark names what was not done when a month was drafted.
	Remark = clearing.Remark
	// Party is who settles.
	Party = clearing.Party
	// Month is a calendar month, YYYYMM.
	Month = clearing.Month
	// Amount is money on one side of a line.
	Amount = clearing.Amount
)
