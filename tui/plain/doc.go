// Package plain is every front end that is not a full screen: lines for logs and
// pipes, one JSON object per line for programs, and numbered prompts for screen
// readers and terminals that cannot do more. It must not know Bubble Tea, Docker
// or how a step works.
package plain
