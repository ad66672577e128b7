// Package print makes receipts of what stands in the journal and brings them to a
// printer: as ESC/POS bytes, or as plain text for everything else.
//
// It promises that laying out is pure: one paper, language and width give one list of
// rows, and these the same bytes everywhere. A character that a printer's code page lacks
// is written with others that it has, never left out. Text of receipts carries no command
// to the printer. Printing holds nothing up: what waits is bounded, every step ends in
// time, and a printer that is away costs a receipt and never a sale.
//
// It must never import Badger, HTTP, or anything of server; it decides nothing about a
// sale.
package print
