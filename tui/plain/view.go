package plain

import (
	"fmt"
	"io"
	"time"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/stack"
	"belay/steps/upgrade"
)

// Status is what `belay status` says.
type Status struct {
	Stack *stack.Stack
	Open  *upgrade.Interrupted // a run that did not end
	Next  string               // the one command that is recommended
}

// WriteJSON writes a Status, *stack.Stack, upgrade.Choices, notes.Report,
// *steps.Plan, []upgrade.Past or *upgrade.Interrupted. What may hold secrets (the
// containers' environment, the bytes of edited files) stays out.
func WriteJSON(w io.Writer, v any) error {
	var view any
	switch x := v.(type) {
	case Status:
		view = statusView{Stack: viewStack(x.Stack), Open: viewOpen(x.Open), Next: x.Next}
	case *stack.Stack:
		view = viewStack(x)
	case upgrade.Choices:
		view = viewChoices(x)
	case notes.Report:
		view = viewNotes(x)
	case *steps.Plan:
		view = viewPlan(x)
	case []upgrade.Past:
		view = append([]upgrade.Past{}, x...)
	case *upgrade.Interrupted:
		view = viewOpen(x)
	default:
		return fmt.Errorf("no JSON for %T", v)
	}
	b, err := encode(view, "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

type statusView struct {
	Stack *stackView `json:"stack"`
	Open  *openView  `json:"open_run"`
	Next  string     `json:"next"`
}

type stackView struct {
	Project   string        `json:"project"`
	Dir       string        `json:"dir"`
	Engine    string        `json:"engine"`
	Version   string        `json:"version"`
	Source    string        `json:"version_source"`
	Repo      string        `json:"repo"`
	Group     []string      `json:"group"`
	Services  []serviceView `json:"services"`
	Databases []dataView    `json:"databases"`
	Stores    []dataView    `json:"stores"`
	Left      []dataView    `json:"left"`
	Skew      []string      `json:"skew"`
	Drift     []string      `json:"drift"`
	Warnings  []string      `json:"warnings"`
}

type serviceView struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Image   string    `json:"image"`
	Digest  string    `json:"digest"`
	Version string    `json:"version"`
	State   string    `json:"state"`
	Health  string    `json:"health"`
	Since   time.Time `json:"since,omitzero"`
	File    string    `json:"file"`
	Line    int       `json:"line"`
	Key     string    `json:"variable,omitempty"`
}

type dataView struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Where string `json:"where"`
	Bytes int64  `json:"bytes"`
	Why   string `json:"why,omitempty"`
}

func viewStack(s *stack.Stack) *stackView {
	if s == nil {
		return nil
	}
	v := &stackView{
		Project: s.Project, Dir: s.Dir, Engine: s.Engine.Version, Version: s.Version.Text, Source: s.Version.Source, Repo: s.Repo,
		Group: list(s.Group), Skew: list(s.Skew), Drift: list(s.Drift), Warnings: list(s.Warnings),
		Services: []serviceView{}, Databases: []dataView{}, Stores: stores(s.Stores), Left: stores(s.Left),
	}
	for _, x := range s.Services {
		n := serviceView{
			Name: x.Name, Role: string(x.Role), Image: x.Ref, Digest: x.Digest, Version: x.Version.Text, Since: x.Up(),
			File: x.Pin.Place.File, Line: x.Pin.Place.Line, Key: x.Pin.Variable,
		}
		if x.Container != nil {
			n.State, n.Health = string(x.Container.State), string(x.Container.Health)
		}
		v.Services = append(v.Services, n)
	}
	for _, d := range s.Databases {
		v.Databases = append(v.Databases, dataView{Kind: d.Kind, Name: d.Name, Where: d.Store.String(), Bytes: d.Bytes})
	}
	return v
}

func stores(in []steps.Store) []dataView {
	out := []dataView{}
	for _, s := range in {
		out = append(out, dataView{Kind: string(s.Kind), Name: s.Name, Where: s.Target, Bytes: s.Bytes, Why: s.Why})
	}
	return out
}

type openView struct {
	Run    string    `json:"run"`
	From   string    `json:"from"`
	To     string    `json:"to"`
	Step   string    `json:"step"`
	When   time.Time `json:"when"`
	Truth  []string  `json:"truth"`
	Advice string    `json:"advice"`
	Why    string    `json:"why"`
}

func viewOpen(o *upgrade.Interrupted) *openView {
	if o == nil {
		return nil
	}
	return &openView{o.Run, o.From, o.To, o.Step, o.When, list(o.Truth), o.Advice, o.Why}
}

type choiceView struct {
	Level      string    `json:"level"`
	Version    string    `json:"version"`
	Tag        string    `json:"tag"`
	Published  time.Time `json:"published,omitzero"`
	Crossed    int       `json:"crossed"`
	Have       int       `json:"notes_have"`
	Of         int       `json:"notes_of"`
	Breaking   int       `json:"breaking"`
	Concerning int       `json:"concerning"`
	Attention  int       `json:"attention"`
	Prerelease bool      `json:"prerelease"`
}

type choicesView struct {
	Rows    []choiceView `json:"rows"`
	All     []choiceView `json:"all"`
	Default string       `json:"default"`
	Nothing string       `json:"nothing"`
	Warning string       `json:"warning"`
}

func viewChoices(c upgrade.Choices) choicesView {
	each := func(in []upgrade.Choice) []choiceView {
		out := []choiceView{}
		for _, x := range in {
			out = append(out, choiceView(x))
		}
		return out
	}
	return choicesView{each(c.Rows), each(c.All), c.Default, c.Nothing, c.Warning}
}

type entryView struct {
	Version    string       `json:"version"`
	Date       time.Time    `json:"date,omitzero"`
	URL        string       `json:"url"`
	Source     string       `json:"source"`
	Prerelease bool         `json:"prerelease"`
	Body       string       `json:"body"`
	Same       string       `json:"same_as,omitempty"`
	Flags      []notes.Flag `json:"flags"`
}

type notesView struct {
	From       string      `json:"from"`
	To         string      `json:"to"`
	Repo       string      `json:"repo"`
	Have       int         `json:"have"`
	Of         int         `json:"of"`
	Missing    []string    `json:"missing"`
	Incomplete string      `json:"incomplete"`
	Entries    []entryView `json:"entries"`
}

func viewNotes(r notes.Report) notesView {
	v := notesView{
		From: r.From, To: r.To, Repo: r.Repo, Have: r.Have, Of: r.Of,
		Missing: list(r.Missing), Incomplete: r.Incomplete, Entries: []entryView{},
	}
	for _, e := range r.Entries {
		v.Entries = append(v.Entries, entryView{e.Version, e.Date, e.URL, e.Source, e.Prerelease, e.Body, e.Same, append([]notes.Flag{}, e.Flags...)})
	}
	return v
}

// viewPlan is the plan without the bytes of the files it edits.
func viewPlan(p *steps.Plan) *steps.Plan {
	if p == nil {
		return nil
	}
	c := *p
	c.Edits = append(c.Edits[:0:0], c.Edits...)
	for i := range c.Edits {
		c.Edits[i].Old, c.Edits[i].New = nil, nil
	}
	return &c
}

// list is never null in JSON.
func list(in []string) []string { return append([]string{}, in...) }
