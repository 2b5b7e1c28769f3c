package steps

// Result is how a run ended.
type Result string

// The results of a run, as the outcome line spells them.
const (
	Upgraded      Result = "upgraded"
	NothingToDo   Result = "nothing_to_do"
	Aborted       Result = "aborted"
	RolledBack    Result = "rolled_back"
	NeedsOperator Result = "needs_operator"
)

// Exit codes of belay (design.md §5).
const (
	ExitOK       = 0
	ExitFailed   = 1
	ExitUsage    = 2
	ExitRolled   = 3
	ExitOperator = 4
	ExitRefused  = 5
	ExitUpdate   = 6
	ExitStopped  = 130
)

// Outcome is the end of a run. Message is one sentence for people, Next the one
// command to run (or empty), Backup the restore point's directory.
type Outcome struct {
	Result  Result   `json:"outcome"`
	From    string   `json:"from"`
	To      string   `json:"to"`
	Run     string   `json:"run"`
	Backup  string   `json:"backup"`
	Exit    int      `json:"exit"`
	Message string   `json:"message,omitempty"`
	Next    string   `json:"next,omitempty"`
	Proof   []Signal `json:"proof,omitempty"` // what was checked at the end
}

// Verdict of one signal.
type Verdict string

// The verdicts.
const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"
	Wait    Verdict = "wait"
	Warned  Verdict = "warn"
	Unknown Verdict = "unknown"
)

// Signal is one thing that was checked, with its evidence in words.
type Signal struct {
	Name     string  `json:"name"`    // image, config, data, health, restarts …
	Subject  string  `json:"subject"` // service or store
	Verdict  Verdict `json:"verdict"`
	Evidence string  `json:"evidence"`
}
