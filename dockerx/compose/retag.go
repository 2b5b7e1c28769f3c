package compose

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Retag works out the edits that move services to other tags, and proves them: it
// loads the project with the edits in and sees that exactly these services have
// exactly the new reference and that nothing else changed. Otherwise it refuses
// with an *Error. It writes nothing.
//
// A service that is pinned by digest needs Move.Digest; its tag, where it has one,
// changes with it. Inside a moving service, other values made from the same
// variable (an APP_VERSION in its environment, a label) may follow.
func Retag(ctx context.Context, p *Project, moves []Move) (_ []Edit, err error) {
	// The files may have changed since p was loaded: Edit.Old must be what they hold now.
	r, err := read(ctx, p.options)
	if err != nil {
		return nil, err
	}
	plan, err := r.planMoves(p, moves)
	if err != nil || len(plan.texts) == 0 {
		return nil, err
	}
	m, err := newMirror(r.book, r.layout, r.model)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	edits, changed, err := r.edits(m, plan)
	if err != nil {
		return nil, err
	}
	after, err := m.resolve(ctx, changed)
	if err != nil {
		if own := (*Error)(nil); errors.As(err, &own) {
			return nil, own
		}
		return nil, failAt(plan.first, err, "compose could not load the project with this change: %s", plainModelError(err))
	}
	before, err := takeSnapshot(r.model, "")
	if err != nil {
		return nil, err
	}
	if err := plan.check(before, after); err != nil {
		return nil, err
	}
	return edits, nil
}

// movePlan is which bytes become what, and what must come of it.
type movePlan struct {
	texts map[span]string   // new text by place
	want  map[string]string // image by service
	pins  map[string]Pin    // by service, as they are now
	text  map[string]string // new text by service
	first Place
}

func (r *reading) planMoves(p *Project, moves []Move) (*movePlan, error) {
	plan := &movePlan{
		texts: map[span]string{}, want: map[string]string{}, pins: map[string]Pin{}, text: map[string]string{},
	}
	for _, m := range moves {
		svc, ok := r.project.Service(m.Service)
		if !ok {
			return nil, failAt(Place{}, nil, "the project %s has no service %q", p.Name, m.Service)
		}
		seen, ok := p.Service(m.Service)
		if !ok || seen.Pin.Kind != svc.Pin.Kind || seen.Image != svc.Image || seen.Pin.Place != svc.Pin.Place {
			return nil, failAt(svc.Pin.Place, ErrForeign, "the version of service %q was changed on disk since the project was looked at", m.Service)
		}
		text, err := svc.Pin.replacement(m)
		if err != nil {
			return nil, err
		}
		if other, ok := plan.want[m.Service]; ok && other != svc.Pin.wanted(text) {
			return nil, failAt(svc.Pin.Place, nil, "service %q is asked to go to two versions", m.Service)
		}
		if other, ok := plan.texts[svc.Pin.at.span]; ok && other != text {
			return nil, failAt(svc.Pin.Place, nil, "service %q shares its version with %s, so they must go to the same one", m.Service, strings.Join(others(svc.Pin.Services, m.Service), ", "))
		}
		plan.texts[svc.Pin.at.span] = text
		plan.want[m.Service], plan.pins[m.Service] = svc.Pin.wanted(text), svc.Pin
		plan.text[m.Service], plan.first = text, svc.Pin.Place
	}
	for _, name := range slices.Sorted(maps.Keys(plan.pins)) {
		for _, other := range plan.pins[name].Services {
			if _, ok := plan.want[other]; !ok {
				return nil, failAt(plan.pins[name].Place, nil, "changing the version of %q here would also move %s", name, strings.Join(others(plan.pins[name].Services, slices.Sorted(maps.Keys(plan.want))...), ", "))
			}
		}
	}
	return plan, nil
}

func others(all []string, but ...string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(but, s) })
}

// replacement is the text a move puts in the pin's place.
func (pin Pin) replacement(m Move) (string, error) {
	if !pin.Editable() {
		why := pin.Why
		if pin.Kind == PinBuild {
			why = "it is built here"
		}
		return "", failAt(pin.Place, nil, "the version of service %q cannot be changed by an edit: %s", m.Service, why)
	}
	if m.Digest != "" && !digestPattern.MatchString(m.Digest) {
		return "", failAt(pin.Place, nil, "%q is not an image digest", m.Digest)
	}
	if pin.at.withDigest && m.Digest == "" {
		return "", failAt(pin.Place, nil, "service %q is pinned by digest, so the digest of the new version must be known", m.Service)
	}
	if pin.at.bare {
		return m.Digest, nil
	}
	if !tagPattern.MatchString(m.Tag) {
		return "", failAt(pin.Place, nil, "%q is not an image tag", m.Tag)
	}
	if pin.at.withDigest {
		return m.Tag + "@" + m.Digest, nil
	}
	text, ok := strings.CutPrefix(m.Tag, pin.at.prefix)
	if ok {
		text, ok = strings.CutSuffix(text, pin.at.suffix)
	}
	if !ok || text == "" {
		return "", failAt(pin.Place, nil, "the tag %s does not fit the image line, which fixes %q", m.Tag, pin.at.prefix+"…"+pin.at.suffix)
	}
	return text, nil
}

// edits makes one Edit per file.
func (r *reading) edits(m *mirror, plan *movePlan) ([]Edit, map[string][]byte, error) {
	list := map[string][]splice{} // by real path
	named := map[string]string{}
	for s, text := range plan.texts {
		realPath := m.real[s.path]
		c := splice{s.start, s.end, s.lead + text}
		if !slices.Contains(list[realPath], c) {
			list[realPath] = append(list[realPath], c)
		}
		if named[realPath] == "" || s.path < named[realPath] {
			named[realPath] = s.path
		}
	}
	var edits []Edit
	changed := map[string][]byte{}
	for _, realPath := range slices.Sorted(maps.Keys(list)) {
		old, ok := r.book.bytesOf(m, realPath)
		data, fits := spliced(old, list[realPath])
		if !ok || !fits {
			return nil, nil, failAt(Place{File: named[realPath]}, nil, "two changes of this file get in each other's way")
		}
		if bytes.Equal(old, data) {
			continue
		}
		changed[realPath] = data
		edits = append(edits, newEdit(named[realPath], old, data, list[realPath]))
	}
	slices.SortFunc(edits, func(a, b Edit) int { return cmp.Compare(a.Path, b.Path) })
	return edits, changed, nil
}

// newEdit shows every changed line before and after. No change spans lines: tags
// hold no line ends.
func newEdit(path string, old, data []byte, list []splice) Edit {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b splice) int { return cmp.Compare(a.start, b.start) })
	e := Edit{Path: path, Old: old, New: data}
	for _, c := range list {
		n, start, end := lineAt(old, c.start)
		if len(e.Lines) > 0 && e.Lines[len(e.Lines)-1].Line == n {
			continue
		}
		_, from, to := lineOf(data, n)
		change := LineChange{Line: n, Before: string(old[start:end]), After: string(data[from:to])}
		if change.Before != change.After {
			e.Lines = append(e.Lines, change)
		}
	}
	if len(e.Lines) > 0 {
		e.Line, e.Before, e.After = e.Lines[0].Line, e.Lines[0].Before, e.Lines[0].After
	}
	return e
}
