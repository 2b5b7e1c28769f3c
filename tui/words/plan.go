package words

import (
	"path/filepath"
	"strconv"
	"strings"

	"belay/steps"
	"belay/tui/text"
)

// Change is one edited line: ".env:7", what it says, what it will say.
type Change struct{ Place, Before, After text.Safe }

// Diff lists the lines that a plan edits.
func Diff(p *steps.Plan) []Change {
	var out []Change
	for _, e := range p.Edits {
		file := e.Path
		if rel, err := filepath.Rel(p.Dir, file); err == nil && !strings.HasPrefix(rel, "..") {
			file = rel
		}
		place := text.Line(file + ":" + strconv.Itoa(e.Line))
		out = append(out, Change{place, text.Line(strings.TrimSpace(e.Before)), text.Line(strings.TrimSpace(e.After))})
	}
	return out
}

// Down says how long the app is expected to be away.
func Down(b steps.Budget) text.Safe {
	if b.Stop < 0 || b.Copy < 0 || b.Start < 0 || b.Down() <= 0 {
		return "down for a time that belay cannot tell"
	}
	return "down for about " + Took(b.Down()) + " (stop " + Took(b.Stop) + " · copy " + Took(b.Copy) + " · start " + Took(b.Start) + ")"
}

// Phase says what the app does while a step runs.
func Phase(phase string) text.Safe {
	switch phase {
	case "running":
		return "the app is running"
	case "down":
		return "down from here"
	case "new":
		return "the new version"
	default:
		return text.Line(phase)
	}
}

// Calls says what a plan's run asks of the engine and of compose, in order, for
// those who want to see it before.
func Calls(p *steps.Plan) []text.Safe {
	var out []text.Safe
	for _, t := range p.Group {
		if t.NewRef == t.OldRef {
			continue
		}
		ref := text.Line(t.NewRef)
		if t.Digest != "" {
			ref += " (" + text.Line(t.Digest) + ")"
		}
		out = append(out, "pull "+ref)
	}
	for _, t := range p.Group {
		if t.Hold != "" {
			out = append(out, "tag "+short(t.OldImage)+" as "+text.Line(t.Hold))
		}
	}
	for _, d := range p.Databases {
		if d.Dumpable {
			out = append(out, "dump "+text.Line(d.Kind)+" "+text.Line(d.Name)+" in "+text.Line(d.Service))
		}
	}
	if len(p.Stop) > 0 {
		out = append(out, "docker compose stop "+list(p.Stop))
	}
	for _, s := range p.Stores {
		out = append(out, "copy "+text.Line(s.String()))
	}
	for _, c := range Diff(p) {
		out = append(out, "edit "+c.Place)
	}
	if p.Migrate != nil {
		out = append(out, "docker compose run --rm "+text.Line(p.Migrate.Service)+" "+list(p.Migrate.Argv))
	}
	var up []string
	for _, t := range p.Group {
		up = append(up, t.Service)
	}
	out = append(out, "docker compose up -d --no-build --pull never "+list(up))
	for _, h := range p.Health {
		out = append(out, text.Sprintf("GET %s until %d", h.URL, h.Status))
	}
	return out
}

func list(names []string) text.Safe {
	parts := make([]text.Safe, len(names))
	for i, n := range names {
		parts[i] = text.Line(n)
	}
	return text.Join(parts, " ")
}

// short is an image ID as people recognise it.
func short(id string) text.Safe {
	head, hash, ok := strings.Cut(id, ":")
	if !ok || len(hash) < 12 {
		return text.Line(id)
	}
	return text.Line(head + ":" + hash[:12])
}
