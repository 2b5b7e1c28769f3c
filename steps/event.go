package steps

import "time"

// ID names a step. IDs are part of the journal and of `--progress json`.
type ID string

// The steps of an upgrade, in order.
const (
	Preflight ID = "preflight"
	Pull      ID = "pull"
	Hold      ID = "hold"
	Capture   ID = "capture"
	Dump      ID = "dump"
	Stop      ID = "stop"
	Backup    ID = "backup"
	Prove     ID = "prove"
	Pin       ID = "pin"
	Migrate   ID = "migrate"
	Start     ID = "start" // the point of no return
	Watch     ID = "watch"
	Health    ID = "health"
	Commit    ID = "commit"
)

// The steps of a rollback, in order.
const (
	BackStop   ID = "rollback.stop"
	BackVerify ID = "rollback.verify"
	BackKeep   ID = "rollback.keep"
	BackConfig ID = "rollback.config"
	BackData   ID = "rollback.data"
	BackStart  ID = "rollback.start"
	BackHealth ID = "rollback.health"
	BackCanary ID = "rollback.canary"
)

// Kind is the kind of an event, as `--progress json` prints it.
type Kind string

// The kinds of events.
const (
	KindStart    Kind = "start"
	KindProgress Kind = "progress"
	KindLog      Kind = "log"
	KindWarn     Kind = "warn"
	KindAsk      Kind = "ask"
	KindDone     Kind = "done"
	KindFail     Kind = "fail"
	KindOutcome  Kind = "outcome"
)

// Unit says what Done and Total count.
type Unit string

// The units of progress.
const (
	Bytes Unit = "bytes"
	Rows  Unit = "rows"
	Count Unit = "count"
)

// Event is one thing that happened in a run. Text may hold bytes from outside
// (log lines, names): hostile until the front end made it safe.
type Event struct {
	Time    time.Time `json:"time"`
	Run     string    `json:"run"`
	Step    ID        `json:"step,omitempty"`
	Title   string    `json:"title,omitempty"`
	Kind    Kind      `json:"kind"`
	Text    string    `json:"text,omitempty"`
	Service string    `json:"service,omitempty"`
	Done    int64     `json:"done,omitempty"`
	Total   int64     `json:"total,omitempty"` // 0: unknown, say it in words
	Unit    Unit      `json:"unit,omitempty"`
	Took    int64     `json:"took_ms,omitempty"`
	Ask     *Question `json:"ask,omitempty"`
	Signal  *Signal   `json:"signal,omitempty"` // one thing that was checked; never dropped
	Outcome *Outcome  `json:"-"`                // the front ends print it as design.md §5 says
}

// Question waits for a person. With no person there, Default is taken when the
// policy says so.
type Question struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Options []Option `json:"options"`
	Default string   `json:"default"`
	Details *Loss    `json:"details,omitempty"`
}

// Option is one answer.
type Option struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// The answers to the question after a failure.
const (
	AnswerRollback = "rollback"
	AnswerKeep     = "keep"
)

// Loss is what the rollback prompt says before anything goes back.
type Loss struct {
	Failure   string        `json:"failure"` // one sentence: what went wrong
	Evidence  []string      `json:"evidence,omitempty"`
	From      string        `json:"from"`
	To        string        `json:"to"`
	Back      []string      `json:"back"`      // what comes back
	Lost      string        `json:"lost"`      // what is lost, in words
	Since     time.Time     `json:"since"`     // the moment the data goes back to
	Served    time.Duration `json:"served"`    // how long the new version could have written
	Kept      []string      `json:"kept"`      // what is kept aside
	Estimated time.Duration `json:"estimated"` // 0: unknown
}
