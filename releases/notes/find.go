package notes

import (
	"cmp"
	"slices"
	"strings"
)

// maxBody is how much of one note is read; GitHub's own limit is far lower.
const maxBody = 1 << 20

// Find reads one release's body and returns its flags, by line, at most one per
// line, each with the exact text of its line. Version and ID are left empty: Merge
// knows them. A break that holds only for those who come from an old version is a
// Notice here; Merge, which knows the installed version, decides.
func Find(body string) []Flag {
	var out []Flag
	for _, f := range find(body) {
		if f.cond != nil {
			f.Level = Notice
		}
		out = append(out, f.Flag)
	}
	return out
}

// found is a flag and the condition it was stated under.
type found struct {
	Flag
	cond *condition
}

// search is the reading of one note.
type search struct {
	outline outline
	rules   []rule
	weights []int         // per block: the heaviest flag in it
	flags   map[int]found // by line
}

func find(body string) []found {
	if len(body) > maxBody {
		body = body[:maxBody]
	}
	lines := read(body)
	s := search{outline: arrange(lines), rules: lineRules(), flags: map[int]found{}}
	s.weights = make([]int, len(s.outline.blocks))
	for i := range s.outline.regions {
		s.heading(&s.outline.regions[i])
	}
	for i := range s.outline.blocks {
		s.block(i)
	}
	s.alerts(lines)
	for i := len(s.outline.regions) - 1; i > 0; i-- {
		s.headingAlone(i)
	}
	s.elsewhere(lines)
	out := make([]found, 0, len(s.flags))
	for _, f := range s.flags {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b found) int { return cmp.Compare(a.Line, b.Line) })
	return out
}

// put keeps the heaviest flag of a line.
func (s *search) put(l *line, level Level, cond *condition) {
	if old, ok := s.flags[l.num]; ok && weight(old.Level) >= weight(level) {
		return
	}
	s.flags[l.num] = found{Flag: Flag{Level: level, Text: l.raw, Line: l.num, Concerns: []Concern{}}, cond: cond}
}

// heading flags what a heading says by itself. Whether "Breaking changes" is news
// is known only when what stands below it was read: see headingAlone.
func (s *search) heading(r *region) {
	if r.head == nil {
		return
	}
	one := block{lines: []*line{r.head}}
	for _, h := range judge(&one, s.rules) {
		if r.own && r.mode == breaking && weight(h.level) <= weight(Breaking) {
			continue
		}
		s.put(r.head, h.level, h.cond)
	}
	if r.own && r.mode == attention {
		s.put(r.head, Attention, nil)
	}
}

// block flags a bullet or a paragraph.
func (s *search) block(i int) {
	b := &s.outline.blocks[i]
	r := &s.outline.regions[b.region]
	above := 0
	if b.parent >= 0 {
		above = s.weights[b.parent] // a nested bullet belongs to the one above it
	}
	s.weights[i] = above
	firstLine := b.lines[0]
	level, cond := s.forced(b, r)
	if level != "" && weight(level) > above {
		s.put(firstLine, level, cond)
		s.weights[i] = weight(level)
	}
	for _, h := range judge(b, s.rules) {
		if b.label && weight(h.level) <= weight(Breaking) || weight(h.level) <= s.weights[i] {
			continue
		}
		s.put(b.lines[h.line], h.level, h.cond)
		if firstLine.kind == bullet {
			s.weights[i] = weight(h.level)
		}
	}
}

// forced is what the heading above says of a block.
func (s *search) forced(b *block, r *region) (Level, *condition) {
	l := b.lines[0]
	if l.kind != bullet {
		return "", nil
	}
	underLabel := b.parent >= 0 && s.outline.blocks[b.parent].label
	switch {
	case underLabel, r.mode == breaking && b.parent < 0 && !b.label:
		if claim.MatchString(l.text) {
			return "", nil // "- None"
		}
		if r.soon {
			return Notice, nil
		}
		if own := conditionOf(firstSentence(l.text)); own != nil {
			return Breaking, own
		}
		return Breaking, r.cond
	case r.mode == attention && variable.MatchString(l.code):
		return Attention, nil
	case r.mode == notice && b.parent < 0:
		return Notice, nil
	}
	return "", nil
}

// headingAlone flags a "Breaking changes" heading, or one below it, when nothing
// under it was flagged: the break is told in prose, a table or nowhere.
func (s *search) headingAlone(i int) {
	r := s.outline.regions[i]
	if r.mode != breaking {
		return
	}
	end := i + 1
	if r.own {
		end = r.end
	} else if len(r.body) == 0 {
		return
	}
	level := Breaking
	if r.soon {
		level = Notice
	}
	for j := i; j < end; j++ {
		below := s.outline.regions[j]
		if j > i && below.head != nil && weight(s.flags[below.head.num].Level) >= weight(level) {
			return
		}
		for _, b := range below.body {
			for _, l := range s.outline.blocks[b].lines {
				if weight(s.flags[l.num].Level) >= weight(level) {
					return
				}
			}
		}
	}
	if len(r.body) > 0 && claim.MatchString(strings.TrimSpace(s.outline.blocks[r.body[0]].lines[0].text)) {
		return // "Breaking changes: none"
	}
	cond := r.cond
	if r.soon {
		cond = nil
	}
	s.put(r.head, level, cond)
}

// alerts flags warnings that are marked as such, by sign or by syntax.
func (s *search) alerts(lines []line) {
	for i := range lines {
		l := &lines[i]
		if l.kind != prose && l.kind != bullet && l.kind != heading {
			continue
		}
		marked := strings.ContainsAny(l.raw, "!:") && alert.MatchString(l.raw)
		if !marked && !signed(l.raw) {
			continue
		}
		told := l
		if marked && strings.Trim(alert.ReplaceAllString(l.raw, ""), " *_:") == "" && i+1 < len(lines) {
			if told = &lines[i+1]; told.kind == blank || told.kind == hidden {
				continue
			}
		}
		if _, flagged := s.flags[told.num]; flagged || s.regionOf(told).mode == breaking || denies(told.text) {
			continue
		}
		s.put(told, Attention, nil)
	}
}

// signed reports whether a line carries a warning sign.
func signed(raw string) bool {
	possible := strings.Count(raw, ":") > 1 || strings.IndexFunc(raw, func(r rune) bool { return r > 0x7f }) >= 0
	return possible && emoji.MatchString(raw)
}

// regionOf finds the region a line stands in.
func (s *search) regionOf(l *line) region {
	at, _ := slices.BinarySearchFunc(s.outline.regions[1:], l.num, func(r region, num int) int { return cmp.Compare(r.head.num, num+1) })
	return s.outline.regions[at]
}

// elsewhere flags a note that is nothing but a link: the news stands elsewhere.
func (s *search) elsewhere(lines []line) {
	var only *line
	for i := range lines {
		if l := &lines[i]; l.kind != blank && l.kind != hidden {
			if only != nil {
				return
			}
			only = l
		}
	}
	if only != nil && linkOnly.MatchString(only.raw) {
		s.put(only, Attention, nil)
	}
}

func weight(l Level) int {
	switch l {
	case Blocker:
		return 5
	case Irreversible:
		return 4
	case Breaking:
		return 3
	case Attention:
		return 2
	case Notice:
		return 1
	}
	return 0
}
