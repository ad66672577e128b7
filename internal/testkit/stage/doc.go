// Package stage sets up what stories and the demo play on: an HQ and lanes as real
// processes, and a programme with members, rewards and vouchers.
//
// It promises that everything it starts is stopped by the owner's one call, that
// every lane and HQ keep their address through crashes and restarts, and that what
// it says of a lane was read over the lane's own API.
//
// It must never import anything of edge and server: it knows the programs by their
// commands and addresses, as users do.
package stage
