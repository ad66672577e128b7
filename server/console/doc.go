// Package console is what the page for HQ's people reads: lists with filters and orders,
// the same lists as files, the figures of the first page, and the signal that something
// changed.
//
// A list is one definition: its columns, filters and orders. A page of it and a file of it
// are the same question, so what is exported is what was seen. It promises that a page and
// a file are read in bounded memory however long the list is, that no cell of a file is a
// formula, and that the figures are counted from the journals' entries, each entry once.
//
// It decides nothing and changes nothing but its own figures. It must never import HTTP or
// a database: it names the storage it needs.
package console
