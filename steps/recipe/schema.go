package recipe

import (
	"path"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	ownerName   = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`)
	plainDotted = regexp.MustCompile(`^v?\d+(\.\d+)*([-+.][0-9A-Za-z.-]+)?$`)
	serviceName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)
)

func (d *document) recipe(n *yaml.Node, r *Recipe) error {
	return d.mapping(n, "", []field{
		{"name", d.text(&r.Name), func() { r.Name = "" }},
		{"match", d.match(&r.Match), func() { r.Match = Match{} }},
		{"releases", d.releases(&r.Releases), func() { r.Releases = Releases{} }},
		{"group", d.services(&r.Group), func() { r.Group = nil }},
		{"databases", d.databases(&r.Databases), func() { r.Databases = nil }},
		{"migrate", d.migrate(&r.Migrate), func() { r.Migrate = nil }},
		{"stop", d.stop(&r.Stop), func() { r.Stop = Order{} }},
		{"drain", d.drain(&r.Drain), func() { r.Drain = nil }},
		{"logs", d.logs(&r.Logs), func() { r.Logs = Logs{} }},
		{"health", d.healths(&r.Health), func() { r.Health = nil }},
		{"route", d.routes(&r.Route), func() { r.Route = nil }},
		{"config", d.list(&r.Config), func() { r.Config = nil }},
		{"hooks", d.hooks(&r.Hooks), func() { r.Hooks = Hooks{} }},
	})
}

func (d *document) service(to *string) func(*yaml.Node, string) error {
	return d.text(to, matching(serviceName, "the name of a service"))
}

func (d *document) services(to *[]string) func(*yaml.Node, string) error {
	return d.list(to, matching(serviceName, "the name of a service"))
}

func (d *document) match(m *Match) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		return d.mapping(n, at, []field{
			{"images", d.list(&m.Images, glob), func() { m.Images = nil }},
		})
	}
}

func (d *document) releases(r *Releases) func(*yaml.Node, string) error {
	tags := func(s string) string {
		if strings.Count(s, "{version}") != 1 {
			return `it must hold {version} once, as in "v{version}"`
		}
		return ""
	}
	return func(n *yaml.Node, at string) error {
		return d.mapping(n, at, []field{
			{"github", d.text(&r.GitHub, matching(ownerName, "owner/name")), func() { r.GitHub = "" }},
			{"tags", d.text(&r.Tags, tags), func() { r.Tags = "" }},
			{"notes", d.list(&r.Notes), func() { r.Notes = nil }},
		})
	}
}

func (d *document) databases(to *[]Database) func(*yaml.Node, string) error {
	absolute := func(s string) string {
		if !path.IsAbs(s) {
			return "it must be the whole path inside the container, starting with /"
		}
		return ""
	}
	return func(n *yaml.Node, at string) error {
		kinds := oneOf("postgres", "mariadb", "mysql", "mongodb", "redis", "sqlite")
		var out []Database
		err := d.items(n, at, func(item *yaml.Node, at string) error {
			var db Database
			err := d.mapping(item, at, []field{
				{"kind", d.text(&db.Kind, kinds), func() { db.Kind = "" }},
				{"service", d.service(&db.Service), func() { db.Service = "" }},
				{"path", d.text(&db.Path, absolute), func() { db.Path = "" }},
				{"name", d.text(&db.Name), func() { db.Name = "" }},
				{"user", d.text(&db.User), func() { db.User = "" }},
			})
			switch {
			case err != nil:
				return err
			case db.Kind == "":
				return d.errorAt(item, "%s needs a kind, as in kind: sqlite", at)
			case db.Service == "":
				return d.errorAt(item, "%s needs the service that has it", at)
			case db.Kind == "sqlite" && db.Path == "":
				return d.errorAt(item, "%s needs the path of its file inside the container", at)
			case db.Kind != "sqlite" && db.Path != "":
				return d.errorAt(item, "%s: only sqlite has a path", at)
			}
			out = append(out, db)
			return nil
		})
		if err == nil {
			*to = out
		}
		return err
	}
}

func (d *document) migrate(to **Migrate) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		m := Migrate{}
		if *to != nil {
			m = **to
		}
		unless := func(n *yaml.Node, at string) error {
			return d.mapping(n, at, []field{
				{"image_migrates", d.flag(&m.Unless.ImageMigrates), func() { m.Unless.ImageMigrates = false }},
			})
		}
		err := d.mapping(n, at, []field{
			{"service", d.service(&m.Service), func() { m.Service = "" }},
			{"run", d.list(&m.Run), func() { m.Run = nil }},
			{"unless", unless, func() { m.Unless.ImageMigrates = false }},
		})
		if err != nil {
			return err
		}
		if m.Service == "" || len(m.Run) == 0 {
			return d.errorAt(n, "%s needs a service and the command to run in it", at)
		}
		*to = &m
		return nil
	}
}
