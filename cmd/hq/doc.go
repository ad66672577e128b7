// Command hq is head office: it serves the API, takes the journals of terminals in,
// keeps the ledger, and proves it.
//
// It promises that secrets never come from or go to the command line, that the data
// directory and the key file are readable by their owner only, and that starting,
// stopping and repeating any command leaves nothing half done.
//
// It must never hold a rule: it reads its flags, builds the parts and starts them.
package main
