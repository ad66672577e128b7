// Package branding keeps how the programme's passes look: every version of it, who set
// it, and the pictures that people upload.
//
// It promises that a version never changes once it is there, that of two people who
// change the same version the second is told, that a picture is checked and made small
// before it is kept, and that one upload at a time is decoded.
//
// It must never import HTTP or a database: it names the storage it needs.
package branding
