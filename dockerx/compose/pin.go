package compose

import (
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"gopkg.in/yaml.v3"
)

// span is bytes of one file that supply a version.
type span struct {
	path       string
	start, end int    // what is replaced; equal: something is put in
	lead       string // ":" where a tag has to be put in
	withDigest bool   // it reaches to the end of a digest
	bare       bool   // a digest without a tag
}

// site is where one service's version is. Several sites can share a span.
type site struct {
	span
	prefix, suffix string // fixed text of the tag around the span: a new tag must have it too
}

func unknown(p Pin, why string) Pin {
	p.Kind, p.Why = PinUnknown, why
	return p
}

// pin finds the place that supplies a service's version. What it finds is only a
// candidate: prove decides.
func (b *book) pin(c types.ServiceConfig) Pin {
	if c.Image == "" {
		if c.Build != nil {
			return Pin{Kind: PinBuild}
		}
		return unknown(Pin{}, "the service has no image")
	}
	ref := cutReference(c.Image)
	p := Pin{Repo: ref.repo, Tag: ref.tag, Digest: ref.digest}
	if c.Build != nil {
		// With `build:` the image name is what the build is called, not what is run.
		p.Kind = PinBuild
		return p
	}
	node, at := imageNode(b.strata(b.root, c.Name))
	if node == nil {
		return unknown(p, "no compose file on this host has an image line for this service")
	}
	p.Place = at.src.place(node)
	parts, ok := expand(node.Value, at.group.scope.lookup)
	if !ok {
		return unknown(p, "the image line uses an expression that belay does not follow")
	}
	if got := strings.TrimSpace(joined(parts)); got != c.Image {
		return unknown(p, "the image line does not give the image that compose uses")
	}
	return b.pinIn(p, ref, parts, at, node)
}

// pinIn decides which part of the image line supplies the tag.
func (b *book) pinIn(p Pin, ref reference, parts []piece, at stratum, node *yaml.Node) Pin {
	from, to := ref.tagAt, ref.tagEnd
	if ref.digest != "" {
		to = ref.end
		if ref.tag == "" {
			from = len(ref.repo) + 1 // after the @
		}
	}
	i, start, ok := pick(parts, from, to)
	if !ok {
		return unknown(p, "the tag is put together from several parts, so no single place holds it")
	}
	part := parts[i]
	end := start + len(part.text)
	s := site{span: span{withDigest: ref.digest != "", bare: ref.digest != "" && ref.tag == ""}}
	if start > from {
		s.prefix = joined(parts)[from:start]
	}
	if end < to {
		s.suffix = joined(parts)[end:to]
	}
	if s.withDigest && s.prefix+s.suffix != "" {
		return unknown(p, "tag and digest are put together from several parts, so no single place holds them")
	}
	if ref.tag == "" && ref.digest == "" {
		s.lead = ":"
	}
	lo, hi := max(from, start)-start, min(to, end)-start // inside the part
	if part.variable != "" {
		return b.pinVariable(p, part, at, s, lo, hi)
	}
	textAt, ok := scalarAt(at.src.data, node)
	if !ok {
		return unknown(p, "the image line is written in a way that belay cannot edit byte for byte")
	}
	s.path = at.src.path
	s.start, s.end = textAt+part.at+lo, textAt+part.at+hi
	p.at, p.Variable = s, part.fallback
	p.Kind, p.Value, p.Place = kindOf(ref, part), part.text[lo:hi], placeAt(s.path, at.src.data, s.start)
	return p
}

func kindOf(ref reference, part piece) PinKind {
	switch {
	case part.fallback != "":
		return PinDefault
	case ref.digest != "":
		return PinDigest
	case ref.tag == "":
		return PinNoTag
	}
	return PinLiteral
}

// pinVariable follows a variable to the .env line that sets it.
func (b *book) pinVariable(p Pin, part piece, at stratum, s site, lo, hi int) Pin {
	p.Variable = part.variable
	f, a, shell := at.group.scope.origin(part.variable)
	if shell || (f != nil && a.inherited) {
		p.Kind, p.Place = PinShell, Place{}
		p.Why = "$" + part.variable + " comes from the process environment: editing a file would change nothing"
		return p
	}
	if f == nil {
		return unknown(p, "no file sets $"+part.variable)
	}
	p.Place = placeAt(f.path, f.data, a.start)
	if !a.literal(f.data) || string(f.data[a.start:a.end]) != part.text {
		return unknown(p, "the value of "+part.variable+" is put together from other variables or escapes, so no single place holds the tag")
	}
	s.path, s.start, s.end = f.path, a.start+lo, a.start+hi
	p.at, p.Kind, p.Value = s, PinEnv, part.text
	p.Place = placeAt(f.path, f.data, s.start)
	return p
}

// pick chooses the part that holds the version among those that make up
// [from,to): the only one, else the only one with a digit, else the only one
// that is not fixed text. start is where it begins in the whole.
func pick(parts []piece, from, to int) (index, start int, ok bool) {
	type candidate struct{ index, start int }
	var all, digits, variable []candidate
	pos := 0
	for i, part := range parts {
		end := pos + len(part.text)
		inside := pos < to && end > from
		if from == to { // something is put in: behind the part that ends there
			inside = pos < from && end >= from
		}
		if inside && part.text != "" {
			c := candidate{i, pos}
			all = append(all, c)
			if strings.ContainsAny(part.text[max(from-pos, 0):min(to, end)-pos], "0123456789") {
				digits = append(digits, c)
			}
			if part.variable != "" || part.fallback != "" {
				variable = append(variable, c)
			}
		}
		pos = end
	}
	for _, some := range [][]candidate{all, digits, variable} {
		if len(some) == 1 {
			return some[0].index, some[0].start, true
		}
	}
	return 0, 0, false
}
