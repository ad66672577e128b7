// Package brand is how a programme's passes look: colours, texts in each language,
// pictures at all scales, the strip with the member's stamps.
//
// It promises that every picture it hands out is a PNG of the size that the phone makers
// ask for, that what a person uploads is refused with a reason and never crashes or fills
// the memory, and that colours which cannot be read are warned of.
//
// It must never import Fiber, a database, or anything of edge and server.
package brand
