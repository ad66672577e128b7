// Package edgeclient is a thin typed client of the edge agent's local API, as POS
// software would write one from edge/api/openapi.yaml.
//
// It promises that every refusal is a *problem.Error, and that it repeats nothing
// by itself: whoever calls decides when to send a key again.
//
// It must never import anything of edge: a client that shares its types could not
// see them change.
package edgeclient
