package compose

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// stratum is one place that says something about a service. A later stratum wins.
type stratum struct {
	src      *source
	group    *group
	key      *yaml.Node // the service's name
	node     *yaml.Node // its mapping
	extended bool       // brought in by extends: its key names another service
}

// strata lists what is written about a service, weakest first, in compose's
// order: extended base, then includes (the first include is the strongest of
// them), then the file itself; later files over earlier ones.
func (b *book) strata(g *group, service string) []stratum {
	var out []stratum
	for _, src := range g.sources {
		for _, doc := range src.docs {
			out = append(out, b.inDocument(g, src, doc, service, false, 0)...)
		}
	}
	return out
}

func (b *book) inDocument(g *group, src *source, doc *yaml.Node, service string, extended bool, depth int) []stratum {
	if depth > maxExtends {
		return nil
	}
	var out []stratum
	key, svc := pairOf(child(doc, "services"), service)
	if ext := child(svc, "extends"); ext != nil {
		out = append(out, b.extended(g, src, doc, ext, depth)...)
	}
	for _, inc := range slices.Backward(g.includes[doc]) {
		out = append(out, b.strata(inc, service)...)
	}
	if svc != nil {
		out = append(out, stratum{src: src, group: g, key: key, node: svc, extended: extended})
	}
	return out
}

func (b *book) extended(g *group, src *source, doc, ext *yaml.Node, depth int) []stratum {
	if ext.Kind == yaml.ScalarNode {
		return b.inDocument(g, src, doc, g.fill(ext.Value), true, depth+1)
	}
	name := child(ext, "service")
	if name == nil {
		return nil
	}
	service := g.fill(name.Value)
	file := child(ext, "file")
	if file == nil {
		return b.inDocument(g, src, doc, service, true, depth+1)
	}
	base, ok := b.sources[absIn(extendsBase(g, src), g.fill(file.Value))]
	if !ok {
		return nil
	}
	var out []stratum
	for _, d := range base.docs {
		out = append(out, b.inDocument(g, base, d, service, true, depth+1)...)
	}
	return out
}

// imageNode gives the `image:` that counts, and where it stands.
func imageNode(all []stratum) (*yaml.Node, stratum) {
	for _, s := range slices.Backward(all) {
		if n := child(s.node, "image"); n != nil && n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
			return n, s
		}
	}
	return nil, stratum{}
}
