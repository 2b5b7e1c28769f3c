// Package steps runs an upgrade: a list of steps, each journalled before and
// after its effect, undone or rolled back when one fails. It must not know how
// it is shown: no terminal, no front end.
package steps
