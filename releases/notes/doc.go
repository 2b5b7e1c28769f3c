// Package notes merges the release notes that lie between two versions and finds
// the lines in them that a user must see before an upgrade. It must not know where
// notes come from, nor how they are drawn: all text in and out of it is hostile.
//
// A note can only be found to say something. That it says nothing is no promise,
// so no result of this package ever means that an upgrade will go well.
package notes
