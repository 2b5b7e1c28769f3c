package upgrade

import (
	"fmt"
	"strings"

	"belay/releases/version"
	"belay/steps"
	"belay/steps/recipe"
)

// allowed holds a target against what the recipe knows of the way: required
// stops and majors that must not be skipped. Only the first stop is named; the
// next plan names the next one.
func (s *Session) allowed(from, to version.Tag) error {
	for _, rule := range s.recipe.Route {
		if rule.Majors == "one_at_a_time" && to.Numbers[0] > from.Numbers[0]+1 {
			return s.first(to, fmt.Sprintf("a version %d", from.Numbers[0]+1))
		}
		via, ok := version.Parse(rule.Via)
		before, ok2 := version.Parse(rule.Before)
		if !ok || !ok2 {
			continue
		}
		if less(from, via) && !less(to, before) {
			return s.first(to, rule.Via)
		}
	}
	return nil
}

func (s *Session) first(to version.Tag, stop string) error {
	return &steps.RefusedError{
		Msg:  fmt.Sprintf("%s has to be on %s before it can go to %s; a jump would leave data that no version can read.", s.stack.Project, stop, to.Plain()),
		Next: s.next("check"),
	}
}

// less compares by numbers alone: a route is about releases, however they are spelled.
func less(a, b version.Tag) bool {
	for i := range max(len(a.Numbers), len(b.Numbers)) {
		x, y := number(a, i), number(b, i)
		if x != y {
			return x < y
		}
	}
	return false
}

func number(t version.Tag, i int) uint64 {
	if i < len(t.Numbers) {
		return t.Numbers[i]
	}
	return 0
}

// undone names what a recipe asks for and this belay does not do. Leaving it out
// in silence could stop a queue that was to be drained first.
func undone(r recipe.Recipe) error {
	var what []string
	if r.Drain != nil {
		what = append(what, "drain")
	}
	if len(r.Hooks.BeforeStop)+len(r.Hooks.AfterStart)+len(r.Hooks.AfterBackup) > 0 {
		what = append(what, "hooks")
	}
	if len(what) == 0 {
		return nil
	}
	return &steps.RefusedError{
		Msg: fmt.Sprintf("The recipe asks for %s (%s), which this belay reads but does not carry out yet.", strings.Join(what, " and "), strings.Join(r.Files, ", ")),
	}
}
