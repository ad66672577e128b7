// Package api is the edge agent's local HTTP API: the handlers of openapi.yaml over
// the use cases of package till, and the guard in front of them.
//
// It promises that nothing but a program on this machine that can read the token
// file gets an answer (but /healthz), that every refusal is a problem document with
// a stable code, that a body is read in full or refused in full, and that a stop
// ends every event stream at once.
//
// It must never import Badger, the journal's files, or anything of server; and it
// decides nothing about a sale.
package api
