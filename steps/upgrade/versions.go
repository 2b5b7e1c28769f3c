package upgrade

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"belay/dockerx/compose"
	"belay/dockerx/registry"
	"belay/releases/github"
	"belay/releases/notes"
	"belay/releases/version"
	"belay/steps"
	"belay/steps/stack"
)

// versions is what the registry and the forge know of the app.
type versions struct {
	current  version.Tag
	tags     []string // of the first group service's repository
	newer    []version.Tag
	listing  github.Listing
	tagsErr  error
	notesErr error
}

// Choices lists where the user can go.
func (s *Session) Choices(ctx context.Context) (Choices, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.known(ctx)
	if err != nil {
		return Choices{}, err
	}
	var c Choices
	for _, t := range v.newer {
		c.All = append(c.All, s.choice(v, t))
	}
	for _, level := range []string{"patch", "minor", "major"} {
		if i := slices.IndexFunc(c.All, func(x Choice) bool { return x.Level == level }); i >= 0 {
			c.Rows = append(c.Rows, c.All[i])
		}
	}
	// A major is never proposed: it is the user's own step.
	if len(c.Rows) > 0 && c.Rows[0].Level != "major" {
		c.Default = c.Rows[0].Version
	}
	c.Warning = v.warning()
	if len(c.All) == 0 {
		c.Nothing = fmt.Sprintf("Nothing newer than %s is in the registry.", s.stack.Version.Text)
		if v.tagsErr != nil {
			c.Nothing = fmt.Sprintf("Belay could not ask the registry: %s.", reason(v.tagsErr))
		}
	}
	return c, nil
}

// Notes merges what was published between the installed version and the target.
func (s *Session) Notes(ctx context.Context, to string) (notes.Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.known(ctx)
	if err != nil {
		return notes.Report{}, err
	}
	t, err := s.target(v, to)
	if err != nil {
		return notes.Report{}, err
	}
	return s.report(v, t), nil
}

func (s *Session) report(v *versions, to version.Tag) notes.Report {
	o := notes.Options{From: v.current.Plain(), To: to.Plain(), Releases: v.listing.Releases, Repo: s.stack.Repo}
	for _, t := range v.newer {
		if version.Compare(t, to) <= 0 {
			o.Versions = append(o.Versions, t.Plain())
		}
	}
	for _, svc := range group(s.stack) {
		o.Names = append(o.Names, path.Base(svc.Pin.Repo))
	}
	switch words := v.listing.Incomplete(); {
	case v.notesErr != nil:
		o.Incomplete = "The release notes could not be read: " + reason(v.notesErr) + "."
	case words != "":
		o.Incomplete = "The release notes may not be all: " + words + "."
	}
	r := notes.Merge(o)
	stack.Concerns(&r, s.stack)
	return r
}

func (s *Session) choice(v *versions, t version.Tag) Choice {
	r := s.report(v, t)
	c := Choice{
		Level: string(version.LevelOf(v.current, t)), Version: t.Plain(), Tag: t.Raw,
		Crossed: r.Of, Have: r.Have, Of: r.Of, Prerelease: t.Pre != "",
	}
	for _, f := range r.Flags() {
		switch f.Level {
		case notes.Breaking, notes.Irreversible, notes.Blocker:
			c.Breaking++
			if len(f.Concerns) > 0 {
				c.Concerning++
			}
		case notes.Attention:
			c.Attention++
		case notes.Notice:
		}
	}
	for _, e := range r.Entries {
		if e.Version == t.Plain() {
			c.Published = e.Date
		}
	}
	return c
}

// known asks the registry and the forge, once.
func (s *Session) known(ctx context.Context) (*versions, error) {
	if s.versions != nil {
		return s.versions, nil
	}
	st, err := s.inspect(ctx)
	if err != nil {
		return nil, err
	}
	if len(st.Group) == 0 {
		return nil, &steps.RefusedError{Msg: "Belay found no service here whose version it could change.", Next: s.next("status")}
	}
	first := group(st)[0]
	if first.Pin.Kind == compose.PinBuild {
		return nil, &steps.RefusedError{Msg: fmt.Sprintf("%s is built here from source; belay can only change images that are pulled.", first.Name), Next: "docker compose build --pull"}
	}
	v := &versions{}
	v.tags, v.tagsErr = s.d.Registry.Tags(ctx, first.Pin.Repo)
	cur, ok := s.currentTag(first, v.tags)
	if !ok {
		why := st.Version.Why
		if why == "" {
			why = fmt.Sprintf("Belay cannot tell which version %s runs.", first.Name)
		}
		return nil, &steps.RefusedError{Msg: why, Next: s.next("status")}
	}
	v.current = cur
	v.newer = version.Candidates(cur, v.tags)
	if st.Repo == "" && len(v.newer) > 0 {
		st.Repo = s.repoOf(ctx, first.Pin.Repo+":"+v.newer[0].Raw)
	}
	if v.listing, v.notesErr = s.list(ctx, st); v.notesErr != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.versions = v
	return v, nil
}

// repoOf reads the forge repository from the labels of an image in the registry:
// an app may have begun to label its images only after the installed version.
func (s *Session) repoOf(ctx context.Context, ref string) string {
	remote, err := s.d.Registry.Resolve(ctx, ref, s.stack.Engine.OS, s.stack.Engine.Arch)
	if err != nil {
		return "" // the notes will say that nobody knows where they are
	}
	repo, ok := github.RepoFromURL(remote.Labels["org.opencontainers.image.source"])
	if !ok {
		return ""
	}
	return "github.com/" + repo
}

// currentTag is the installed version spelled as the image spells it. A moving
// tag is looked up by the version behind it.
func (s *Session) currentTag(svc stack.Service, tags []string) (version.Tag, bool) {
	if t, ok := version.Parse(svc.Version.Tag); ok {
		return t, true
	}
	if !svc.Version.Known() {
		return version.Tag{}, false
	}
	plain := strings.TrimPrefix(svc.Version.Text, "v")
	if raw, ok := version.Spelling(plain, svc.Version.Tag, tags); ok {
		return version.Parse(raw)
	}
	return version.Parse(svc.Version.Text)
}

func (s *Session) list(ctx context.Context, st *stack.Stack) (github.Listing, error) {
	repo, ok := strings.CutPrefix(st.Repo, "github.com/")
	if !ok {
		return github.Listing{}, errors.New("belay does not know where this app publishes its releases")
	}
	return s.d.Forge.List(ctx, repo)
}

// target finds the version that the user means by "1.3.0", "v1.3.0" or a tag.
func (s *Session) target(v *versions, to string) (version.Tag, error) {
	want, ok := version.Parse(to)
	if !ok {
		return version.Tag{}, &steps.RefusedError{Msg: fmt.Sprintf("%q is no version.", to), Next: s.next("plan --to VERSION"), Usage: true}
	}
	raw, ok := version.Spelling(want.Plain(), v.current.Raw, v.tags)
	if !ok {
		if v.tagsErr != nil {
			return version.Tag{}, &steps.RefusedError{Msg: fmt.Sprintf("The registry could not be asked for %s: %s.", to, reason(v.tagsErr)), Next: s.next("doctor"), Err: v.tagsErr}
		}
		return version.Tag{}, &steps.RefusedError{Msg: fmt.Sprintf("The registry has no image of %s for version %s.", s.stack.Group[0], want.Plain()), Next: s.next("check")}
	}
	t, ok := version.Parse(raw)
	if !ok {
		return version.Tag{}, &steps.RefusedError{Msg: fmt.Sprintf("The tag %s is no version.", raw), Usage: true}
	}
	return t, nil
}

func (v *versions) warning() string {
	switch {
	case v.tagsErr != nil:
		return "The registry could not be asked: " + reason(v.tagsErr) + "."
	case v.notesErr != nil:
		return "The release notes could not be read: " + reason(v.notesErr) + "."
	default:
		return ""
	}
}

// reason is the sentence of a registry's or forge's error, without its chain.
func reason(err error) string {
	switch {
	case errors.Is(err, registry.ErrDenied):
		return "it wants a login (docker login)"
	case errors.Is(err, registry.ErrUnreachable):
		return "it does not answer"
	case errors.Is(err, registry.ErrNoTag):
		return "it does not know this image"
	default:
		return err.Error()
	}
}
