// Package rig is what the scenarios stand on: the app's images, a registry and a
// forge on loopback, compose projects with data in them, an independent look at
// what stands on the engine, and belay's binary on a pipe or a pseudo-terminal.
// It must not know belay's packages: it judges belay from outside, with the
// `docker` command and plain SQL.
package rig
