// Package web holds the pages: the till's (served by the edge agent), the shopper's
// card and the console (served by HQ). They are written in Svelte, in the npm workspace
// beside this file; `make web` builds them into dist, and the binaries embed that folder.
// README.md says how to work on them.
//
// It promises plain answers: Open checks that a page was built, and Answer gives
// status, headers and bytes for a path, so that a server of any kind can send them.
// A binary built without Node.js has no pages; Open says so with ErrNotBuilt and
// Missing is what to answer.
//
// It must never import an HTTP server, nor anything else of ours.
package web
