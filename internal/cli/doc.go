// Package cli is belay's command line: one file a command. It reads flags and
// environment, picks the front end, wires the parts together and turns outcomes
// into exit codes. It must not hold logic of an upgrade.
package cli
