// Package auditpack writes a folder with which an auditor verifies the certified days of
// stores without head office, its database or its code: the entries as terminals signed
// them, the certificates, the keys, and a note of how to check them. The program
// cmd/verify does it; docs/audit-pack.md has the format.
//
// It promises that a folder is written whole or not at all, that every file is named in
// the list that head office signs, and that memory does not grow with what is packed.
//
// It must never import a database driver, HTTP, or server/store; it names the storage it
// needs in [Store].
package auditpack
