// Package api is HQ over HTTP: the console and integration API of openapi.yaml
// under /api/v1, the wire of the terminals under /sync/v1, and what a platform
// wants to see (health, metrics, the public keys).
//
// It promises that every error is a problem document from the one table, that no
// body is read past its limit (compressed or not), that unknown fields and missing
// ones are refused, and that a write with an Idempotency-Key happens once: key,
// change and answer are one transaction. A handler parses, calls one use case and
// renders.
//
// It must never hold a rule of the programme, speak SQL, or import server/store.
package api

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config oapi-codegen.yaml openapi.yaml
//go:generate go test -run TestSpecJSON . -update
