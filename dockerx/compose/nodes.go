package compose

import "gopkg.in/yaml.v3"

// resolved follows an alias to what it stands for.
func resolved(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// child gives a mapping's value for a key: its own, else the one a merge key
// (`<<`) brings, the first of several merges first. Nil when there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	_, v := pairOf(n, key, 0)
	return v
}

// pairOf gives the key's node too.
func pairOf(n *yaml.Node, key string, depth int) (k, v *yaml.Node) {
	n = resolved(n)
	if n == nil || n.Kind != yaml.MappingNode || depth > maxNesting {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && !isMerge(n.Content[i]) {
			return n.Content[i], resolved(n.Content[i+1])
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		from := resolved(n.Content[i+1])
		if from.Kind != yaml.SequenceNode {
			return pairOf(from, key, depth+1)
		}
		for _, m := range from.Content {
			if k, v := pairOf(m, key, depth+1); v != nil {
				return k, v
			}
		}
	}
	return nil, nil
}

func isMerge(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "<<" && (n.Tag == "!!merge" || n.Tag == "")
}

// values gives the values of a mapping, aliases followed.
func values(n *yaml.Node) []*yaml.Node {
	n = resolved(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var out []*yaml.Node
	for i := 1; i < len(n.Content); i += 2 {
		out = append(out, resolved(n.Content[i]))
	}
	return out
}
