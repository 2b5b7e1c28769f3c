package tui

import (
	"strings"

	"belay/tui/screen"
	"belay/tui/text"
	"belay/tui/widget"
)

// chrome is the lines around a screen: title, stepper, rule; rule, footer.
const chrome = 5

// Below this size there is no screen, only the most important line.
const minW, minH = 60, 15

// View draws a frame: never more lines than the terminal has, or the renderer
// would drop the first ones, and none wider.
func (r *root) View() string {
	if r.quitting {
		return ""
	}
	if r.w == 0 || r.h == 0 {
		return " belay" // until the terminal says its size, in a moment
	}
	lines := r.small()
	if r.w >= minW && r.h >= minH {
		lines = r.frame()
	}
	return r.env.Theme.Plainly(strings.Join(widget.Fit(lines, r.w, r.h), "\n"))
}

func (r *root) frame() []string {
	th := r.env.Theme
	lines := make([]string, 0, r.h)
	lines = append(lines, r.title(), r.where(), widget.Rule(th, r.w))
	body := strings.Split(r.screen.View(), "\n")
	if r.help {
		body = append([]string{" " + th.Strong.Paint("Keys"), ""}, widget.HelpLines(th, r.keys())...)
	}
	room := r.h - chrome
	body = widget.Fit(body, r.w, room)
	if r.dialog != nil {
		over := r.dialog.Lines(th, r.w)
		for len(body) < room {
			body = append(body, "")
		}
		body = append(body[:max(room-len(over), 0)], over...)
	}
	for len(body) < room {
		body = append(body, "")
	}
	lines = append(lines, widget.Fit(body, r.w, room)...)
	return append(lines, widget.Rule(th, r.w), r.foot())
}

func (r *root) foot() string {
	th := r.env.Theme
	switch {
	case r.help:
		return " " + th.Text.Paint("any key closes this")
	case r.screen.Capturing() && r.dialog == nil:
		return widget.Footer(th, r.keys()[len(r.keys())-1:], r.w)
	default:
		return widget.Footer(th, r.keys(), r.w)
	}
}

func (r *root) title() string {
	th := r.env.Theme
	name, dir, right := text.Safe(""), text.Flat(r.opts.Title), "belay "+text.Line(r.opts.Version)
	if r.stack != nil {
		name, dir = text.Flat(r.stack.Project), text.Line(r.stack.Dir)
		right = r.engine()
	}
	if where := r.where(); r.screen.Head() != "" && !strings.Contains(where, string(r.screen.Head())) {
		right = r.screen.Head() // it found no room in the line below
	}
	left := " " + th.Title.Paint("belay")
	if name != "" {
		left += "   " + th.Strong.Paint(name)
	}
	if dir != "" {
		left += "   " + th.Faint.Paint(dir)
	}
	return widget.Ends(left, th.Faint.Paint(right+" "), r.w)
}

func (r *root) engine() text.Safe {
	e := r.stack.Engine
	kind, where := text.Safe("engine "), text.Safe(" remote")
	if e.Podman {
		kind = "podman "
	}
	if e.Local {
		where = " local"
	}
	return kind + text.Line(e.Version) + where
}

// where is the stepper or the screen's banner, with the screen's head beside it
// when both fit.
func (r *root) where() string {
	line := r.screen.Banner()
	if line == "" {
		_, failed := r.screen.(*screen.Trouble)
		line = widget.Stepper(r.env.Theme, r.screen.Stage(), failed, r.w-text.Width(r.screen.Head())-2)
	}
	if !r.headFits(line) {
		return text.Cut(line, r.w)
	}
	return widget.Ends(line, r.env.Theme.Text.Paint(r.screen.Head()+" "), r.w)
}

func (r *root) headFits(line string) bool {
	return text.Width(line)+text.Width(r.screen.Head())+3 <= r.w
}

// small is what is left of belay in a window too small for it: during a run what
// it does and how to stop it, else how to go on.
func (r *root) small() []string {
	th := r.env.Theme
	var lines []string
	switch {
	case r.dialog != nil:
		lines = append(r.dialog.Menu.Lines(th), " enter choose   esc keep going")
	case r.running():
		lines = []string{
			" " + th.Strong.Paint(r.state.Doing()), " " + th.Text.Paint(r.state.Clocks()),
			" ctrl+c stop or undo",
		}
	default:
		lines = []string{" " + th.Strong.Paint("belay"), " q leave"}
	}
	if r.h > len(lines) {
		lines = append(lines, " "+th.Faint.Paint(text.Sprintf("larger window: %d×%d, this is %d×%d", minW, minH, r.w, r.h)))
	}
	return lines
}
