// Package passtype reads the pass type out of a certificate, which the room that signs
// passes and the one that pushes both ask.
//
// It promises to say what the certificate says and nothing more: whether that fits is its
// callers' to judge. It must never import anything of this module.
package passtype
