// Package keys holds the key bindings, one set per screen. It must not know what
// a key does.
package keys

import "github.com/charmbracelet/bubbles/key"

// Set is the bindings of a screen, in the order in which the footer shows them.
type Set []key.Binding

// Bind makes a binding with its help.
func Bind(help, does string, names ...string) key.Binding {
	return key.NewBinding(key.WithKeys(names...), key.WithHelp(help, does))
}

// Enabled gives only the bindings that work now.
func (s Set) Enabled() Set {
	var out Set
	for _, b := range s {
		if b.Enabled() {
			out = append(out, b)
		}
	}
	return out
}

// Clash names a key that two enabled bindings share, "" when there is none.
func (s Set) Clash() string {
	seen := map[string]bool{}
	for _, b := range s.Enabled() {
		for _, k := range b.Keys() {
			if seen[k] {
				return k
			}
			seen[k] = true
		}
	}
	return ""
}

// Moving says whether a binding only moves about: the footer leaves it out, the
// help overlay lists it.
func Moving(b key.Binding) bool {
	switch b.Help().Key {
	case "↑/k", "↓/j", "pgup", "pgdn", "g", "G":
		return true
	default:
		return false
	}
}

// The bindings that mean the same on every screen.

// Help opens the overlay.
func Help() key.Binding { return Bind("?", "help", "?") }

// Leave leaves belay.
func Leave() key.Binding { return Bind("q", "leave", "q") }

// Stop always answers.
func Stop() key.Binding { return Bind("ctrl+c", "stop", "ctrl+c") }

// Back goes one screen back.
func Back() key.Binding { return Bind("esc", "back", "esc") }

// On goes on; does says where to.
func On(does string) key.Binding { return Bind("enter", does, "enter") }

// Up moves the cursor up.
func Up() key.Binding { return Bind("↑/k", "up", "up", "k") }

// Down moves the cursor down.
func Down() key.Binding { return Bind("↓/j", "down", "down", "j") }

// PageUp moves a page up.
func PageUp() key.Binding { return Bind("pgup", "page up", "pgup", "b") }

// PageDown moves a page down.
func PageDown() key.Binding { return Bind("pgdn", "page down", "pgdown") }

// Top moves to the start.
func Top() key.Binding { return Bind("g", "start", "g", "home") }

// End moves to the end.
func End() key.Binding { return Bind("G", "end", "G", "end") }
