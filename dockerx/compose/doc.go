// Package compose knows a compose project on disk: it loads it as compose does,
// finds and edits the bytes that hold a version, and calls the user's own
// `docker compose`. It must not know engines, registries or what an upgrade is.
package compose
