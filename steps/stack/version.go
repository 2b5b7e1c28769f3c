package stack

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/releases/version"
)

// labelVersion is where images say their version (OCI annotations).
const labelVersion = "org.opencontainers.image.version"

// Sources of a version.
const (
	fromTag    = "tag"
	fromLabel  = "label"
	fromDigest = "digest"
	unknown    = "unknown"
)

// versions fills every service's version, the group's, and the skew in it.
func (f *facts) versions(ctx context.Context, s *Stack) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i := range s.Services {
		svc := &s.Services[i]
		r := f.repoOf(f.model(svc.Name))
		svc.Version = versionOf(r, f.images[svc.Name], svc.Pin)
		if svc.Version.Known() || svc.Role != App {
			continue
		}
		// Only an app's version is worth a question to a registry.
		g.Go(func() error {
			f.byDigest(ctx, svc, r)
			return nil
		})
	}
	_ = g.Wait() // no one fails
	f.groupVersion(s)
}

func versionOf(r ref, image dockerx.Image, pin compose.Pin) Version {
	v := Version{Tag: r.tag}
	if v.Tag == "" && r.digest == "" {
		v.Tag = "latest"
	}
	label, labelled := labelOf(image, r)
	if tag, ok := version.Parse(r.tag); ok {
		v.Text, v.Source = tag.Plain(), fromTag
		// "32" moves within 32: the image knows which one it is. A label that
		// says anything else is somebody else's.
		if labelled && extends(label, tag) {
			v.Text, v.Source = label.Plain(), fromLabel
		}
		return v
	}
	if labelled {
		v.Text, v.Source = label.Plain(), fromLabel
		return v
	}
	v.Text, v.Source = unknown, unknown
	switch {
	case pin.Kind == compose.PinBuild:
		v.Why = "The image is built here and says nothing about its version."
	case image.ID == "":
		v.Why = "The image is not on this host, and its tag is no version."
	case v.Tag == "":
		v.Why = "The image is pinned by digest and says nothing about its version."
	default:
		v.Why = fmt.Sprintf("The tag %s moves, and the image says nothing about its version.", v.Tag)
	}
	return v
}

// byDigest asks which release carries the digest that runs.
func (f *facts) byDigest(ctx context.Context, svc *Service, r ref) {
	digest := svc.Digest
	if digest == "" {
		digest = r.digest
	}
	if f.Tags == nil || digest == "" || r.repo == "" {
		return
	}
	raw, ok := f.Tags(ctx, r.repo, digest)
	if !ok {
		svc.Version.Why = strings.TrimSuffix(svc.Version.Why, ".") + "; no release has its digest."
		return
	}
	if tag, ok := version.Parse(raw); ok {
		svc.Version.Text, svc.Version.Source, svc.Version.Why = tag.Plain(), fromDigest, ""
	}
}

// labelOf is the version an image gives for what it holds. Base images leave
// their own behind: that of a distribution is not the app's.
func labelOf(image dockerx.Image, r ref) (version.Tag, bool) {
	if tag, ok := version.Parse(image.Labels[labelVersion]); ok && !ofBase(image.Labels, r) {
		return tag, true
	}
	// The official database images have no label and say it in a variable.
	env := pairs(image.Env)
	for _, key := range serverVersions(kindByName(r.full())) {
		if tag, ok := version.Parse(trimPackage(env[key])); ok {
			return tag, true
		}
	}
	return version.Tag{}, false
}

var ubuntuRelease = regexp.MustCompile(`^(1[0-9]|2[0-9])\.(04|10)$`)

func ofBase(labels map[string]string, r ref) bool {
	name := labels["org.opencontainers.image.ref.name"]
	switch name {
	case "ubuntu", "debian", "alpine", "fedora", "rockylinux", "almalinux":
		return r.base() != name
	}
	ownWords := labels["org.opencontainers.image.source"] != "" || labels["org.opencontainers.image.revision"] != ""
	return ubuntuRelease.MatchString(labels[labelVersion]) && !ownWords && r.base() != "ubuntu"
}

func serverVersions(kind string) []string {
	switch kind {
	case "postgres":
		return []string{"PG_VERSION"}
	case "mariadb":
		return []string{"MARIADB_VERSION"}
	case "mysql":
		return []string{"MYSQL_VERSION"}
	case "mongodb":
		return []string{"MONGO_VERSION"}
	case "redis", "valkey":
		return []string{"VALKEY_VERSION", "REDIS_VERSION"}
	}
	return nil
}

var packageVersion = regexp.MustCompile(`^(?:\d+:)?(\d+(?:\.\d+)*)`)

// trimPackage takes the version out of a package's: "1:11.4.2+maria~ubu2404",
// "17.2-1.pgdg120+1".
func trimPackage(s string) string {
	m := packageVersion.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	return m[1]
}

// extends says whether full is a more exact name of what tag means.
func extends(full, tag version.Tag) bool {
	return tag.Pre == "" && full.Pre == "" && len(full.Numbers) > len(tag.Numbers) &&
		slices.Equal(full.Numbers[:len(tag.Numbers)], tag.Numbers)
}
