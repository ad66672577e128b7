// Command edge is the agent on a terminal: it enrols the terminal with HQ, serves
// the local API of the till software, keeps the journal, and syncs with HQ.
//
// It promises to need nothing but its data directory, to keep the terminal's
// private key there and nowhere else, and to end, for its supervisor to start it
// again, as soon as journal or cache can no longer be trusted.
//
// It must never import SQL, a cloud SDK, Fiber, or anything of server.
package main
