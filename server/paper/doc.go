// Package paper makes what head office hands out on paper: the certificate of a store's
// business day, the page that says whether such a paper is good, and the statements of a
// settlement.
//
// It promises that a paper says all that the signed certificate says and nothing else,
// that the same certificate gives the same bytes, that letters a font lacks are left out and
// never boxes, and that the code on the paper holds an address of head office with the
// digest of the signed text: it proves nothing by itself, and opens the page that does. The
// signed text is attached to the file, for whoever verifies it without head office.
//
// It reads and writes nothing, and must never import a database, HTTP, or server/store.
package paper
