// Package printed makes the card of paper or plastic that shows what a wallet would: as
// PDF, PNG and SVG, of the size of a credit card (85.6 × 54 mm, ISO/IEC 7810 ID-1), one
// by one or ten on a sheet.
//
// It promises a code of at least 25 mm with the white border scanners need, black on white
// whatever the brand's colours are, that Turkish and Polish letters are right, that a text
// that is too long is made smaller and then cut, and that the same card gives the same bytes.
//
// It must never import Fiber, a database, or anything of edge and server.
package printed
