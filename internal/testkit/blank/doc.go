// Package blank hands out databases of HQ that have all tables and no rows.
//
// The tables are made once in a process and copied: tests and simulated worlds ask for
// hundreds of databases, and making the tables would be most of their time. It promises
// that no two callers share a database. It must never be imported by anything that ships.
package blank
