// Verify checks a folder that `hq audit-pack` has written: every file, every signature,
// every chain, and every figure of every certificate, added up anew from the entries.
//
//	verify [--keys KEYS.json] FOLDER
//
// It promises to trust nothing but the keys it is given, and to name the place of the first
// thing that is wrong. It exits with 0 when all is good, 1 when something is not, 2 when it
// was not understood.
//
// It is meant to be read in one sitting by somebody who does not trust head office. It must
// never import anything of this module, and nothing but the standard library and a CBOR
// decoder: it is a second implementation of docs/audit-pack.md.
package main
