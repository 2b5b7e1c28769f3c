package compose

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// check is the proof.
func (plan *movePlan) check(before, after *snapshot) error {
	if before.rest != after.rest {
		return failAt(plan.first, nil, "the change would alter more than the services' versions: the same variable is used for networks, volumes or the like")
	}
	if !slices.Equal(slices.Sorted(maps.Keys(before.json)), slices.Sorted(maps.Keys(after.json))) {
		return failAt(plan.first, nil, "the change would add or remove services")
	}
	var moved []string
	for _, name := range slices.Sorted(maps.Keys(before.json)) {
		want, moves := plan.want[name]
		switch {
		case !moves && before.json[name] != after.json[name] && !plan.onlyTold(before.json[name], after.json[name]):
			moved = append(moved, name)
		case moves && after.services[name].Image != want:
			return failAt(plan.pins[name].Place, nil, "the change would not give service %q the image %s", name, want)
		case moves && !plan.follows(name, before.json[name], after.json[name]):
			return failAt(plan.pins[name].Place, nil, "the change would alter more of service %q than its version", name)
		}
	}
	if len(moved) > 0 {
		return failAt(plan.first, nil, "the change would also alter %s", strings.Join(moved, ", "))
	}
	return nil
}

// onlyTold says whether a service that stays is merely told the new version: the
// tag lives in .env, and the service takes that whole file as its env_file. Its
// image and all else stay; compose recreates it at the user's next `up`, and
// belay does not.
func (plan *movePlan) onlyTold(before, after string) bool {
	var a, b map[string]any
	if json.Unmarshal([]byte(before), &a) != nil || json.Unmarshal([]byte(after), &b) != nil {
		return false
	}
	for _, pin := range plan.pins {
		for _, service := range []map[string]any{a, b} {
			if env, ok := service["environment"].(map[string]any); ok && pin.Variable != "" {
				delete(env, pin.Variable)
			}
		}
	}
	return reflect.DeepEqual(a, b)
}

// follows says whether a moving service changed only where its version stands:
// in its image, and where the same text was put by the same variable.
func (plan *movePlan) follows(name, before, after string) bool {
	var a, b any
	if json.Unmarshal([]byte(before), &a) != nil || json.Unmarshal([]byte(after), &b) != nil {
		return false
	}
	old := plan.pins[name].current()
	service, ok := a.(map[string]any)
	if !ok {
		return false
	}
	service["image"] = plan.want[name]
	return sameBut(a, b, old, plan.text[name])
}

// current is the text that stands in the pin's place now.
func (pin Pin) current() string {
	switch {
	case pin.at.bare:
		return pin.Digest
	case pin.at.withDigest:
		return pin.Tag + "@" + pin.Digest
	}
	return strings.TrimSuffix(strings.TrimPrefix(pin.Tag, pin.at.prefix), pin.at.suffix)
}

func sameBut(a, b any, old, now string) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, func(x, y any) bool { return sameBut(x, y, old, now) })
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, func(x, y any) bool { return sameBut(x, y, old, now) })
	case string:
		b, ok := b.(string)
		return ok && (a == b || old != "" && strings.ReplaceAll(a, old, now) == b)
	}
	return a == b
}
