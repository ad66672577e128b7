// Package apnsdouble is a double of Apple's push service: HTTP/2 over TLS, for tests
// and cmd/fleet only. It is not Apple's, and says so in every answer (header Server).
//
// It promises to be stricter than Apple: it checks the method, path, every header, the
// body, the client certificate or the provider token with its age, answers what is
// wrong with Apple's own words, and keeps each such thing as a complaint that a test
// asks for. It can also be as bad as Apple on a bad day: 410, 429, 500, GOAWAY, silence.
//
// What it says of Apple's rules is from "Sending notification requests to APNs" and
// "Handling notification responses from APNs" (Apple developer documentation). It
// must never be imported by anything that ships.
package apnsdouble
