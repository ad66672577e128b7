// Package evidence collects what an exception rests on: the signed entries with the chain
// to the checkpoint over them, the branches of a fork side by side, a day close beside what
// the entries say, and the postings of an account around an overdraw.
//
// It promises that all of it is read as it is stored, that each proof says itself whether
// it holds, that an answer is bounded however long a journal is, and that it says where it
// was cut. Lining up branches and comparing a close with its entries are pure functions.
//
// It decides nothing and changes nothing. It must never import HTTP or a database: it names
// the storage it needs.
package evidence
