// Package cursortext is the text of a list's cursor: bytes of ours that callers hand back.
//
// It promises that each cursor has one text: what is read is written the same again.
// What the bytes say is for the list that made them.
//
// It must never import anything of ours.
package cursortext
