// Package printer stands for a receipt printer in the network: it takes what is sent to it
// on a TCP port, as those on port 9100 do, and prints nothing.
//
// It must never import anything of the product, and never be imported outside tests.
package printer
