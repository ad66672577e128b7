// Package accept is a listener that knows its connections, so that a server can stop
// in time: HTTP servers wait for a connection that has never sent a byte as if a
// request were under way on it.
//
// It promises that after Close no connection is handed out, that CloseUnused ends
// only connections that never sent anything, that CloseAll ends every one, and that
// Drain ends soon after its context whatever peers do, and that a connection on which
// nothing has come by its deadline ends as if its peer had closed it.
//
// It must never import anything of edge or server, or an HTTP library.
package accept
