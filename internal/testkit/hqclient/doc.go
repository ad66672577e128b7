// Package hqclient is a thin typed client of HQ's API, as an integrator would
// write one from server/api/openapi.yaml.
//
// It promises that every refusal is a *problem.Error, and that every write carries
// an Idempotency-Key of its own.
//
// It must never import anything of server: a client that shares its types could
// not see them change.
package hqclient
