// Package rest makes JSON calls over HTTP for the thin clients of both APIs.
//
// It promises that a refusal comes back as a *problem.Error with the code that was
// sent, so that stories ask for codes and never for texts.
//
// It must never import anything of edge and server:
// a client that shares their types could not see them change.
package rest
