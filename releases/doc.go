// Package releases holds the words that its packages share: versions, notes and
// the places they are read from. It must not know what is installed, nor Docker.
package releases
