// Package journal keeps the crash-safe record of runs: one directory a project,
// one a run, an append-only journal in each, and the lock that lets one run work
// at a time. It must not know what the steps do.
package journal
