// Package typeface has the fonts that paper is set in, and fits texts into them: the Go
// fonts, which have all letters of Turkish and Polish. They lack ₺, so money is written
// with its code.
//
// It promises that a text is measured as it will be drawn, and that signs a font lacks are
// left out and never drawn as boxes.
//
// It must never import another room.
package typeface
