// Package proxy is a TCP proxy in front of HQ that stands for the network between
// a store and head office. It can be cut and restored, delay answers, lose an
// answer after so many bytes, and deliver every request twice.
//
// It promises that its address stays the same through cut and restore, that a cut
// resets every connection before [Proxy.Cut] returns, and that no goroutine
// outlives [Proxy.Close].
//
// It must never import anything of the product: it knows bytes, and of HTTP/1.1
// only that a request starts with its method and path.
package proxy
