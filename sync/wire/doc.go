// Package wire is what both ends of the sync say to each other: enrolment,
// handshake, batches, receipts, feed pages, and the proof that comes with every
// request. All of it is CBOR with integer keys; what HQ says is signed.
//
// It promises that both ends encode and refuse the same bytes, that every limit is
// stated here once, and that layouts only grow. It knows entries and the chain,
// and takes the types a decision rests on from package loyalty so that they exist
// once.
//
// It must never import HTTP, a database, or anything of edge and server.
package wire
