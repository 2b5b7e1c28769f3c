// Package colorguard keeps the terminal from being asked for its background
// colour. It must not import anything but lipgloss: the packages a program holds
// are initialised in the order of their import paths as soon as all they import
// is, so this one, sorting before github.com/charmbracelet/bubbletea, comes
// first. Bubble Tea's own initialisation asks for the colour and waits up to
// five seconds for a terminal that never answers, even for `belay --version`;
// with the answer set beforehand it does not ask. Nothing depends on the answer:
// belay draws with the 16 colours the user gave the terminal.
package colorguard

import "github.com/charmbracelet/lipgloss"

//nolint:gochecknoinits // the whole point of the package, see above
func init() { lipgloss.SetHasDarkBackground(true) }
