// Package store keeps HQ's records in SQL: on SQLite in one file, or on PostgreSQL,
// with one SQL text for both.
//
// It promises that what a transaction committed is durable (SQLite with WAL and
// synchronous=FULL), that every method joins the transaction in its context, that
// a transaction the engine asks to repeat is repeated whole, and that migrations
// only go forward and may be started by several processes at once. Every statement
// of the sale path names its shard.
//
// It is the only room that knows bun and database drivers. It must never import
// server/api, HTTP, or decide anything: it implements the interfaces that the
// rooms above name.
package store
