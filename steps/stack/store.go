package stack

import (
	"path"
	"slices"

	"belay/dockerx"
	"belay/steps"
)

// stores fills Stores, Left and Writers: what the group and its databases can
// change, what of that a restore point leaves out, and who else changes it.
func (f *facts) stores(s *Stack) {
	members := slices.Clone(s.Group)
	for _, db := range s.Databases {
		if !slices.Contains(members, db.Service) {
			members = append(members, db.Service)
		}
	}
	for _, name := range f.belonging(s) {
		if !slices.Contains(members, name) {
			members = append(members, name)
		}
	}
	for _, name := range members {
		for _, m := range f.mounts(name) {
			m.Data = clean(m.Data)
			if f.leave(m) == "" {
				s.Stores = f.put(s.Stores, m, name, "")
			}
		}
	}
	// Left comes second: a read-only mount of something that another member
	// writes to is not left out.
	for _, name := range members {
		for _, m := range f.mounts(name) {
			m.Data = clean(m.Data)
			why := f.leave(m)
			if why == "" || holds(s.Stores, m.Data) {
				continue
			}
			if !m.ReadOnly && loses(why) && !holds(s.Left, m.Data) {
				f.warn("%s can write to %s, which no restore point holds: %s.", name, where(m), why)
			}
			s.Left = f.put(s.Left, m, name, why)
		}
	}
	f.writers(s, members)
}

func (f *facts) put(to []steps.Store, m dockerx.Mount, service, why string) []steps.Store {
	for i := range to {
		if to[i].Data == m.Data && (m.Name != "" || to[i].Target == m.Target) {
			if !slices.Contains(to[i].Services, service) {
				to[i].Services = append(to[i].Services, service)
			}
			return to
		}
	}
	return append(to, steps.Store{
		Data: m.Data, Services: []string{service}, Target: m.Target, Bytes: f.size(m.Data), Why: why,
	})
}

// writers are the other services that can change a store: by the same volume or
// directory, or by one inside or around it.
func (f *facts) writers(s *Stack, members []string) {
	for _, svc := range s.Services {
		if slices.Contains(members, svc.Name) {
			continue
		}
		for _, m := range f.mounts(svc.Name) {
			m.Data = clean(m.Data)
			touches := slices.ContainsFunc(s.Stores, func(st steps.Store) bool { return overlap(st.Data, m.Data) })
			if !m.ReadOnly && touches && !slices.Contains(s.Writers, svc.Name) {
				s.Writers = append(s.Writers, svc.Name)
			}
		}
	}
}

func overlap(a, b dockerx.Data) bool {
	if a.Kind != dockerx.BindData || b.Kind != dockerx.BindData {
		return a == b
	}
	return within(a.Name, b.Name) || within(b.Name, a.Name)
}

func holds(stores []steps.Store, d dockerx.Data) bool {
	return slices.ContainsFunc(stores, func(s steps.Store) bool { return s.Data == d })
}

// size is a volume's size; -1 where nobody knows it without a walk.
func (f *facts) size(d dockerx.Data) int64 {
	if v, ok := f.volumes[d.Name]; ok && d.Kind == dockerx.VolumeData {
		return v.Size
	}
	return -1
}

func clean(d dockerx.Data) dockerx.Data {
	if d.Kind == dockerx.BindData {
		d.Name = path.Clean(d.Name)
	}
	return d
}

func where(m dockerx.Mount) string {
	if m.Name == "" {
		return m.Target
	}
	return m.Data.String()
}
