package compose

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// prove tries every candidate out: it puts marks into the files, loads the
// project again and looks which services carry which mark. A place whose mark
// does not come out as expected is no place.
func (b *book) prove(ctx context.Context, l layout, model *types.Project, p *Project) (err error) {
	spans := p.spans()
	if len(spans) == 0 {
		return nil
	}
	m, err := newMirror(b, l, model)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	// All marks at once: one load for the whole project. When they disturb each
	// other, one by one.
	if snap, err := m.resolve(ctx, b.marked(m, spans)); err == nil && p.allProven(snap, spans) {
		return nil
	}
	for i, s := range spans {
		if err := ctx.Err(); err != nil {
			return err
		}
		alone := make([]span, len(spans))
		alone[i] = s
		snap, err := m.resolve(ctx, b.marked(m, alone))
		p.proveOne(s, mark(i, s), snap, err)
	}
	return nil
}

// spans lists the candidates, each place once.
func (p *Project) spans() []span {
	var out []span
	for _, s := range p.Services {
		if s.Pin.Editable() && !slices.Contains(out, s.Pin.at.span) {
			out = append(out, s.Pin.at.span)
		}
	}
	return out
}

// mark is the text that stands for a new version at a place.
func mark(i int, s span) string {
	tag := fmt.Sprintf("belay.proof.%d.end", i)
	digest := fmt.Sprintf("sha256:%064x", 0xbe1a<<16+i)
	switch {
	case s.bare:
		return digest
	case s.withDigest:
		return tag + "@" + digest
	}
	return tag
}

// marked gives the files with all marks in, by real path.
func (b *book) marked(m *mirror, spans []span) map[string][]byte {
	changes := map[string][]splice{}
	for i, s := range spans {
		if s.path != "" {
			changes[m.real[s.path]] = append(changes[m.real[s.path]], splice{s.start, s.end, s.lead + mark(i, s)})
		}
	}
	out := map[string][]byte{}
	for path, list := range changes {
		data, ok := b.bytesOf(m, path)
		if marked, fits := spliced(data, list); ok && fits {
			out[path] = marked
		}
	}
	return out
}

// bytesOf gives what a file held when it was read, by its real path.
func (b *book) bytesOf(m *mirror, realPath string) ([]byte, bool) {
	for path, src := range b.sources {
		if m.real[path] == realPath {
			return src.data, true
		}
	}
	for _, g := range b.groups {
		for _, f := range g.scope.files {
			if m.real[f.path] == realPath {
				return f.data, true
			}
		}
	}
	return nil, false
}

// wanted is the reference a service must show when its place holds text.
func (pin Pin) wanted(text string) string {
	text = pin.at.prefix + text + pin.at.suffix
	if pin.at.bare {
		return pin.Repo + "@" + text
	}
	return pin.Repo + ":" + text
}

func (p *Project) allProven(snap *snapshot, spans []span) bool {
	moved := make([][]string, len(spans))
	for _, s := range p.Services {
		image := snap.services[s.Name].Image
		if !s.Pin.Editable() {
			if image != s.Image {
				return false
			}
			continue
		}
		i := slices.Index(spans, s.Pin.at.span)
		if image != s.Pin.wanted(mark(i, s.Pin.at.span)) {
			return false
		}
		moved[i] = append(moved[i], s.Name)
	}
	for i := range p.Services {
		if pin := &p.Services[i].Pin; pin.Editable() {
			pin.Services = slices.Clone(moved[slices.Index(spans, pin.at.span)])
		}
	}
	return true
}

// proveOne judges a single place.
func (p *Project) proveOne(s span, text string, snap *snapshot, loadErr error) {
	var moved []string
	if loadErr == nil {
		for _, svc := range p.Services {
			if snap.services[svc.Name].Image != svc.Image {
				moved = append(moved, svc.Name)
			}
		}
	}
	for i := range p.Services {
		svc := &p.Services[i]
		if !svc.Pin.Editable() || svc.Pin.at.span != s {
			continue
		}
		switch {
		case loadErr != nil:
			svc.Pin = unknown(svc.Pin, trialFailed(s, loadErr))
		case snap.services[svc.Name].Image != svc.Pin.wanted(text):
			svc.Pin = unknown(svc.Pin, "a trial change at this place did not move the service, so something else supplies its version")
		default:
			svc.Pin.Services = slices.Clone(moved)
		}
	}
}

func trialFailed(s span, err error) string {
	if own := (*Error)(nil); errors.As(err, &own) {
		return own.Msg
	}
	return "compose cannot load the project when the version is changed in " + filepath.Base(s.path)
}
