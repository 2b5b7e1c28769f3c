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
	_, v := pairOf(n, key)
	return v
}

// pairOf gives the key's node too.
func pairOf(n *yaml.Node, key string) (k, v *yaml.Node) {
	eachPair(n, func(pk, pv *yaml.Node) bool {
		if pk.Value == key {
			k, v = pk, pv
		}
		return v == nil
	})
	return k, v
}

// maxPairs bounds one walk over a mapping: merge keys of merge keys can be made
// to multiply without end.
const maxPairs = 20000

// eachPair visits a mapping's own pairs, then those that merge keys bring, in the
// order in which they count, until visit says no. Values have their aliases followed.
func eachPair(n *yaml.Node, visit func(k, v *yaml.Node) bool) {
	left := maxPairs
	walkPairs(n, &left, visit)
}

func walkPairs(n *yaml.Node, left *int, visit func(k, v *yaml.Node) bool) bool {
	n = resolved(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return true
	}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if *left--; *left < 0 {
			return false
		}
		k, v := n.Content[i], resolved(n.Content[i+1])
		switch {
		case v == nil:
		case !isMerge(k):
			if !visit(k, v) {
				return false
			}
		case v.Kind == yaml.SequenceNode:
			merged = append(merged, v.Content...)
		default:
			merged = append(merged, v)
		}
	}
	for _, m := range merged {
		if !walkPairs(m, left, visit) {
			return false
		}
	}
	return true
}

func isMerge(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "<<" && (n.Tag == "!!merge" || n.Tag == "")
}
