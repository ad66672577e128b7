// Package tillbooks measures the books of till software: how long head office takes to read
// a large file of which no row has a sale in a journal, to keep its rows and to match its
// days, and how much memory it has meanwhile.
//
// It promises that the file goes through the service as it ships, on PostgreSQL, and that the
// same rows, index and all, are copied into a bare table of the same cluster beside it.
//
// It must never be imported, and measures nothing unless TALLYSTICK_BENCH is set.
package tillbooks
