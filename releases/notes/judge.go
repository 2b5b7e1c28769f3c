package notes

import (
	"regexp"
	"slices"
	"strings"

	"belay/releases/version"
)

// hit is one rule that holds in a block.
type hit struct {
	line  int // index into the block's lines
	level Level
	cond  *condition
}

// judge tries all rules on a block. Lines are joined, because notes wrap in the
// middle of "breaking\nchanges"; rules about a line's start are tried on each line.
func judge(b *block, rules []rule) []hit {
	j := judgement{
		block: b,
		text:  join(b, func(l *line) string { return l.text }),
		code:  join(b, func(l *line) string { return l.code }),
		best:  make([]hit, len(b.lines)), announced: make([]bool, len(b.lines)),
	}
	lower := strings.ToLower(j.code.text) // has all words of text as well
	for _, r := range rules {
		if slices.ContainsFunc(r.needs, func(word string) bool { return strings.Contains(lower, word) }) {
			j.try(r)
		}
	}
	var out []hit
	for i, h := range j.best {
		if j.announced[i] && weight(h.level) <= weight(Breaking) {
			h.level, h.cond = Notice, nil // "breaking changes next release": not this one
		}
		if h.level != "" {
			out = append(out, h)
		}
	}
	return out
}

// judgement collects the heaviest hit of each line of a block.
type judgement struct {
	block      *block
	text, code joined
	best       []hit
	announced  []bool
}

func (j *judgement) try(r rule) {
	whole := j.text
	if r.code {
		whole = j.code
	}
	if !r.anchor && !r.bullet {
		for _, m := range r.pattern.FindAllStringIndex(whole.text, -1) {
			j.mark(whole.lineAt(m[0]), r, whole.text, m)
		}
		return
	}
	for i, l := range j.block.lines {
		if r.bullet && l.kind != bullet {
			continue
		}
		one := whole.text[whole.starts[i]:whole.starts[i+1]]
		if m := r.pattern.FindStringIndex(one); m != nil {
			j.mark(i, r, one, m)
		}
	}
}

// mark weighs one match text[m[0]:m[1]] in line i.
func (j *judgement) mark(i int, r rule, text string, m []int) {
	level := r.level
	switch r.verdict(text, m[0], m[1]) {
	case denied:
		return
	case later:
		if level == Breaking || level == Attention {
			level, j.announced[i] = Notice, true
		}
	case stands:
	}
	if weight(level) <= weight(j.best[i].level) {
		return
	}
	j.best[i] = hit{line: i, level: level}
	if level == Breaking || level == Irreversible {
		j.best[i].cond = conditionOf(sentence(text, m[0], m[1]))
	}
}

// verdict asks whether a match means what it says.
func (r rule) verdict(text string, from, to int) verdict {
	if r.final {
		return stands
	}
	if r.level != Breaking && isFix.MatchString(text) {
		return denied // a bug that was, not something to do
	}
	if r.level == Notice {
		return stands
	}
	return weigh(text, from, to)
}

// joined is a block's lines as one text; starts has one entry more than lines.
type joined struct {
	text   string
	starts []int
}

func join(b *block, of func(*line) string) joined {
	var out strings.Builder
	starts := make([]int, 0, len(b.lines)+1)
	for _, l := range b.lines {
		starts = append(starts, out.Len())
		out.WriteString(of(l))
		out.WriteByte(' ')
	}
	return joined{text: out.String(), starts: append(starts, out.Len())}
}

func (j joined) lineAt(at int) int {
	i, exact := slices.BinarySearch(j.starts, at)
	if exact {
		return min(i, len(j.starts)-2)
	}
	return i - 1
}

// denies reports that a line says there is nothing: "no action required".
func denies(text string) bool {
	return claim.MatchString(text) || nothingToDo.MatchString(text)
}

var (
	nothingToDo = regexp.MustCompile(`(?i)\bno (?:further |manual |special )?(?:action|steps?|intervention)s? (?:is |are )?(?:required|needed|necessary)\b`)
	linkOnly    = regexp.MustCompile(`(?i)^\s*(?:[a-z ,:'*_-]{0,60})?(?:<?https?://\S+?>?|\[[^\]]*\]\(https?://[^)]*\))[\s.*_]*$`)
	versionText = regexp.MustCompile(`\b[0-9]+\.[0-9]+`)
	sentenceEnd = regexp.MustCompile(`[.!?](?:\s|$)`)

	// "If you are upgrading from v0.14.x and below, …", "… from versions prior to 2.0".
	fromOld = regexp.MustCompile(`(?i)\b(?:from|on|running|using|than|to|of) (?:an? |any )?(?:versions? |releases? )?v?([0-9]+(?:\.[0-9]+){0,3})(?:\.[x*])? ?(?:and|or) (?:below|earlier|older|lower|before|prior|previous)`)
	before  = regexp.MustCompile(`(?i)\b(?:from|on|running|using) (?:an? |any )?(?:versions? |releases? )?(?:prior to|before|older than|below|earlier than|lower than|<) ?(?:versions? )?v?([0-9]+(?:\.[0-9]+){0,3})`)
	ifOn    = regexp.MustCompile(`(?i)\b(?:if|when) (?:you (?:are |were )?|you're )?(?:currently )?(?:upgrading|updating|coming|migrating|still|running|on)(?: directly| still)? (?:from|on)? ?(?:an? )?(?:versions? |releases? )?v?([0-9]+\.[0-9x*]+(?:\.[0-9x*]+){0,2})`)
)

// condition limits a statement to those who come from a version up to limit
// (below it when strict). Parts that were not given do not count: "0.14.x".
type condition struct {
	limit  version.Tag
	strict bool
}

// holds reports whether the condition includes a version.
func (c *condition) holds(from version.Tag) bool {
	if c.strict {
		return version.Compare(from, c.limit) < 0
	}
	cut := from
	cut.Numbers = cut.Numbers[:min(len(cut.Numbers), len(c.limit.Numbers))]
	return version.Compare(cut.Final(), c.limit) <= 0
}

func conditionOf(text string) *condition {
	lower := strings.ToLower(text)
	if !slices.ContainsFunc(conditionWords(), func(word string) bool { return strings.Contains(lower, word) }) {
		return nil
	}
	for i, pattern := range []*regexp.Regexp{fromOld, before, ifOn} {
		m := pattern.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		number := strings.TrimRight(strings.NewReplacer("x", "", "*", "", "X", "").Replace(m[1]), ".")
		if limit, ok := version.Parse(number); ok {
			return &condition{limit: limit, strict: i == 1}
		}
	}
	return nil
}

// conditionWords lists what every condition has one of.
func conditionWords() []string {
	return []string{"below", "earlier", "older", "lower", "before", "prior", "previous", "if ", "when ", "<"}
}

// sentence is the one that text[from:to] stands in.
func sentence(text string, from, to int) string {
	begin := 0
	for _, m := range sentenceEnd.FindAllStringIndex(text[:from], -1) {
		begin = m[1]
	}
	end := len(text)
	if m := sentenceEnd.FindStringIndex(text[to:]); m != nil {
		end = to + m[0]
	}
	return text[begin:end]
}

func firstSentence(text string) string { return sentence(text, 0, 0) }
