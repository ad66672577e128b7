// Package apns tells phones through Apple's push service that a pass has changed.
// A push says nothing itself: its body is {}, and the phone then asks the pass web
// service what is new.
//
// It promises one typed [Result] for every push, whatever Apple, the network or the
// certificate did, and never an unbounded number of pushes or connections at once.
// A push that Apple took (Sent) is no proof that the phone fetches. It keeps to
// Apple's rule for provider tokens: none is made within 20 minutes of the last.
//
// Sources: "Sending notification requests to APNs", "Handling notification responses
// from APNs" and "Establishing a token-based connection to APNs" (Apple developer
// documentation); RFC 7519 and RFC 7518 §3.4 for the token; RFC 9113 for HTTP/2.
//
// It must never import a database, Fiber, or anything of server and edge; nor read a
// clock or a file: time, keys and certificates are passed in.
package apns
