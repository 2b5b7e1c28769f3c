package notes

import "regexp"

// block is a paragraph or a bullet with its wrapped lines.
type block struct {
	lines  []*line
	parent int // index of the bullet it hangs under, -1 for none
	region int
	label  bool // a bullet that only says "Breaking": what hangs under it is the news
}

// mode is what a heading says of the lines below it.
type mode int

const (
	plain     mode = iota
	breaking       // each bullet is a flag
	attention      // the heading is a flag
	notice         // bullets weigh a little: "Removed", "Deprecated"
)

// region is a heading and what follows up to the next heading of any rank.
type region struct {
	head *line // nil before the first heading
	own  bool  // the heading itself set the mode, it is not inherited
	mode mode
	soon bool       // announced for another release
	cond *condition // only for those who come from an old version
	end  int        // index of the region after the whole section
	body []int      // its blocks
}

type outline struct {
	regions []region
	blocks  []block
}

// arrange puts lines into blocks and blocks under headings.
func arrange(lines []line) outline {
	o := outline{regions: []region{{}}}
	var open []int // regions whose sections are open, outermost first
	var bullets []int
	current := -1
	for i := range lines {
		l := &lines[i]
		if l.kind == prose && current < 0 && pureLabel.MatchString(l.text) {
			l.kind, l.rank = heading, softRank // "Breaking changes:" above a list
		}
		switch l.kind {
		case heading:
			open = o.enter(l, open)
			bullets, current = nil, -1
		case blank, hidden:
			current = -1
		case bullet:
			for len(bullets) > 0 && o.indent(bullets[len(bullets)-1]) >= l.indent {
				bullets = bullets[:len(bullets)-1]
			}
			current = o.add(l, bullets)
			bullets = append(bullets, current)
		case prose:
			if current >= 0 {
				b := &o.blocks[current]
				b.lines = append(b.lines, l)
				continue
			}
			for len(bullets) > 0 && o.indent(bullets[len(bullets)-1]) >= l.indent {
				bullets = bullets[:len(bullets)-1]
			}
			current = o.add(l, bullets)
		}
	}
	for _, r := range open {
		o.regions[r].end = len(o.regions)
	}
	o.regions[0].end = 1
	return o
}

func (o *outline) indent(b int) int { return o.blocks[b].lines[0].indent }

func (o *outline) add(l *line, bullets []int) int {
	b := block{lines: []*line{l}, parent: -1, region: len(o.regions) - 1}
	if len(bullets) > 0 {
		b.parent = bullets[len(bullets)-1]
	}
	b.label = l.kind == bullet && pureLabel.MatchString(l.text)
	o.blocks = append(o.blocks, b)
	at := len(o.blocks) - 1
	o.regions[b.region].body = append(o.regions[b.region].body, at)
	return at
}

// enter opens the region of a heading: sections of the same or a higher rank end,
// and what the enclosing section says goes on below it.
func (o *outline) enter(l *line, open []int) []int {
	at := len(o.regions)
	for len(open) > 0 && o.regions[open[len(open)-1]].head.rank >= l.rank {
		o.regions[open[len(open)-1]].end = at
		open = open[:len(open)-1]
	}
	r := region{head: l}
	r.mode, r.soon = headingMode(l.text)
	if r.own = r.mode != plain; r.own {
		r.cond = conditionOf(l.text)
	} else if len(open) > 0 {
		above := o.regions[open[len(open)-1]]
		r.mode, r.soon, r.cond = above.mode, above.soon, above.cond
	}
	o.regions = append(o.regions, r)
	return append(open, at)
}

// headingMode reads a heading. A word or a mark in the heading of a whole version
// ("## 2.0.0 (BREAKING)") opens no section: not every bullet below it breaks.
func headingMode(text string) (m mode, soon bool) {
	patterns := []*regexp.Regexp{breakingLabel, breakingNoun, incompatible}
	if !versionText.MatchString(text) {
		patterns = append(patterns, breakingMark, breakingWord)
	}
	for _, pattern := range patterns {
		at := pattern.FindStringIndex(text)
		if at == nil {
			continue
		}
		switch weigh(text, at[0], at[1]) {
		case stands:
			return breaking, false
		case later:
			return breaking, true
		case denied:
			return plain, false
		}
	}
	switch {
	case attentionHeading.MatchString(text) && !denies(text):
		return attention, false
	case noticeHeading.MatchString(text):
		return notice, false
	}
	return plain, false
}
