// Package tree copies a directory tree exactly: into one archive stream, back
// from it, and into a Summary that is equal exactly when two trees are. It must
// not know Docker, Compose or what the files mean (SQLite row counts apart).
//
// Kept: names of any bytes, permission bits with setuid, setgid and sticky,
// numeric owners, modification times to the nanosecond, extended attributes
// (capabilities and ACLs among them), symbolic links, hard links, FIFOs, device
// nodes, holes, empty directories, and the root's own attributes.
//
// Not kept: sockets (reported), access and change times, inode flags, the
// attributes security.selinux and security.evm (the host's policy assigns them)
// and trusted.* (readable only with more rights than this job needs). Outside
// Linux also: extended attributes, holes and the times of symbolic links.
package tree
