package widget

import (
	"belay/tui/text"
	"belay/tui/theme"
)

// Item is one choice of a menu.
type Item struct {
	ID    string
	Label text.Safe
	Hint  text.Safe
}

// Menu is a list with a cursor.
type Menu struct {
	Items  []Item
	Cursor int
}

// Move moves the cursor and stops at the ends.
func (m *Menu) Move(by int) {
	m.Cursor = min(max(m.Cursor+by, 0), max(len(m.Items)-1, 0))
}

// Next moves the cursor on and starts again after the last item.
func (m *Menu) Next() {
	if len(m.Items) > 0 {
		m.Cursor = (m.Cursor + 1) % len(m.Items)
	}
}

// Select puts the cursor on an item, if it is there.
func (m *Menu) Select(id string) {
	for i, it := range m.Items {
		if it.ID == id {
			m.Cursor = i
		}
	}
}

// Selected is the item under the cursor; the zero Item when the menu is empty.
func (m *Menu) Selected() Item {
	if m.Cursor < 0 || m.Cursor >= len(m.Items) {
		return Item{}
	}
	return m.Items[m.Cursor]
}

// Lines draws the menu, hints aligned.
func (m *Menu) Lines(th theme.Theme) []string {
	wide := 0
	for _, it := range m.Items {
		wide = max(wide, text.Width(it.Label))
	}
	out := make([]string, len(m.Items))
	for i, it := range m.Items {
		cursor, style := text.Safe(" "), th.Text
		if i == m.Cursor {
			cursor, style = th.Marks.Cursor, th.Strong
		}
		out[i] = " " + th.Here.Paint(cursor) + " " + style.Paint(text.Pad(it.Label, wide)) + "   " + th.Faint.Paint(it.Hint)
	}
	return out
}

// Dialog is a question over a screen.
type Dialog struct {
	Title text.Safe
	Note  text.Safe
	Menu  Menu
}

// Lines draws the dialog under a rule.
func (d *Dialog) Lines(th theme.Theme, w int) []string {
	out := []string{Rule(th, w), " " + th.Strong.Paint(d.Title), ""}
	out = append(out, d.Menu.Lines(th)...)
	if d.Note != "" {
		out = append(out, "", " "+th.Faint.Paint(d.Note))
	}
	return out
}

// Window says which part of n lines to show in h so that line at is in view.
func Window(n, at, h int) (from, to int) {
	h = max(h, 0)
	if n <= h {
		return 0, n
	}
	from = min(max(at-h/2, 0), n-h)
	return from, from + h
}
