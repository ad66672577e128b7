// Package doctor says in words what is wrong with the set-up of wallet passes:
// certificates, addresses, clocks, pictures, accounts. Each finding says what is so, why
// it matters and what to do.
//
// It promises that the same facts give the same findings, that every code it uses has
// its advice and a row in docs/wallet-setup.md, and that no finding holds a secret. What
// it cannot learn it reports as unknown, never as right.
//
// It must never open a file, a connection or a database: facts are passed in.
package doctor
