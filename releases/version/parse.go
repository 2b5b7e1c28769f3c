package version

import (
	"regexp"
	"strconv"
	"strings"
)

const (
	maxTag    = 256 // longer than any registry or forge allows
	maxParts  = 6
	maxDigits = 9
)

var (
	hashPattern = regexp.MustCompile(`^[0-9a-f]{7,40}$`)
	datePattern = regexp.MustCompile(`^(20[0-9]{2})-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01])(?:T([0-2][0-9])-([0-5][0-9])-([0-5][0-9])Z)?)?`)
	stampStart  = regexp.MustCompile(`^20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])`)
	prePattern  = regexp.MustCompile(`^([-._~]?)((?i:alpha|beta|preview|pre|snapshot|nightly|canary|edge|unstable|develop|dev|next|testing|test|ea|rc|a|b))((?:[-._]?[0-9]{1,18}(?:\.[0-9]{1,9}){0,4})?)`)
)

// Parse takes a tag apart. It reports false for everything that is not a
// version: moving tags (latest, stable), commits, signatures, words.
func Parse(raw string) (Tag, bool) {
	if raw == "" || len(raw) > maxTag || !allowed(raw) || signature(raw) || isHash(raw) {
		return Tag{}, false
	}
	prefix, rest, ok := cutPrefix(raw)
	if !ok || isHash(rest) {
		return Tag{}, false
	}
	t := Tag{Raw: raw, Prefix: prefix}
	if rest, ok = t.takeNumbers(rest); !ok {
		return Tag{}, false
	}
	rest = t.takePre(t.takeLetter(rest))
	if !t.takeSuffix(rest) {
		return Tag{}, false
	}
	return t, true
}

// allowed keeps to the characters tags are made of; anything else (spaces,
// control characters, other scripts) cannot be a version.
func allowed(raw string) bool {
	for i := range len(raw) {
		c := raw[i]
		switch {
		case isDigit(c), c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case strings.IndexByte("._-+~/@", c) >= 0:
		default:
			return false
		}
	}
	return true
}

func signature(raw string) bool {
	return strings.HasSuffix(raw, ".sig") || strings.HasSuffix(raw, ".att") || strings.HasSuffix(raw, ".sbom")
}

// isHash tells a commit from a number: hexadecimal with at least one letter.
func isHash(s string) bool {
	return hashPattern.MatchString(s) && strings.ContainsAny(s, "abcdef")
}

// cutPrefix splits off what stands before the first number. Segments before it
// must be names; a segment such as "vue3" or "alpine3.20" is a name, not a number.
func cutPrefix(raw string) (prefix, rest string, ok bool) {
	for start := 0; start < len(raw); {
		segment := raw[start:]
		if i := strings.IndexAny(segment, "-/@"); i >= 0 {
			segment = segment[:i]
		}
		if n, number := numberStart(segment); number {
			return raw[:start+n], raw[start+n:], true
		}
		if !name(segment) {
			return "", "", false
		}
		start += len(segment) + 1
	}
	return "", "", false
}

// numberStart finds where the number begins in a segment that holds one:
// "1.2", "v1.2", "v.2.11.0", "r3", "RELEASE.2025".
func numberStart(segment string) (int, bool) {
	for _, lead := range []string{"", "v", "V", "v.", "r", "RELEASE."} {
		after, found := strings.CutPrefix(segment, lead)
		if found && after != "" && isDigit(after[0]) {
			return len(lead), true
		}
	}
	return 0, false
}

// name accepts a segment of a prefix, unless it announces a commit or a branch.
func name(segment string) bool {
	switch strings.ToLower(segment) {
	case "sha", "sha1", "sha256", "sha512", "commit", "git", "pr", "pull", "mr", "branch":
		return false
	case "":
		return true // "@scope/pkg@1.0.0"
	}
	c := segment[0]
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (t *Tag) takeNumbers(s string) (string, bool) {
	if m := datePattern.FindStringSubmatch(s); m != nil && inYears(m[1]) && endOfDate(s[len(m[0]):]) {
		for _, part := range m[1:] {
			if part != "" {
				n, _ := strconv.ParseUint(part, 10, 64) // two or four digits: cannot fail
				t.Numbers = append(t.Numbers, n)
			}
		}
		t.numText, t.calver, t.dashed = m[0], true, true
		return s[len(m[0]):], true
	}
	rest := s
	for {
		digits := leadingDigits(rest)
		if len(digits) > maxDigits && !stamp(digits) || len(t.Numbers) == maxParts {
			return "", false
		}
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return "", false
		}
		t.Numbers = append(t.Numbers, n)
		rest = rest[len(digits):]
		if len(rest) < 2 || rest[0] != '.' || !isDigit(rest[1]) {
			break
		}
		rest = rest[1:]
	}
	t.numText = s[:len(s)-len(rest)]
	first := leadingDigits(s)
	t.calver = inYears(first) || len(first) == 8 && stampStart.MatchString(first) || stamp(first)
	return rest, true
}

// endOfDate keeps "2026-07a", "2026-07-alpine" and "2026-07" dates, and leaves
// "2026-0712" and "2026-07.1" to the other rules.
func endOfDate(rest string) bool {
	return rest == "" || !isDigit(rest[0]) && rest[0] != '.'
}

// stamp accepts the two longer numbers that are dates: YYYYMMDDhhmm and YYYYMMDDhhmmss.
func stamp(digits string) bool {
	return (len(digits) == 12 || len(digits) == 14) && stampStart.MatchString(digits) && inYears(digits[:4])
}

func inYears(digits string) bool {
	return len(digits) == 4 && digits >= "2015" && digits <= "2099"
}

// takeLetter reads the single letter some projects count with: "2026-07a",
// "1.1.1w". Outside dates "a" and "b" mean alpha and beta.
func (t *Tag) takeLetter(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' || len(s) > 1 && s[1] != '-' && s[1] != '_' {
		return s
	}
	if !t.dashed && (s[0] == 'a' || s[0] == 'b') {
		return s
	}
	t.Letter = s[:1]
	return s[1:]
}

func (t *Tag) takePre(s string) string {
	m := prePattern.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	rest := s[len(m[0]):]
	if rest != "" && strings.IndexByte("-._+~", rest[0]) < 0 {
		return s // "-alpine" begins with an "a" and is no alpha
	}
	t.preSep, t.Pre, t.preWord = m[1], m[2]+m[3], canonical(m[2])
	for _, digits := range strings.FieldsFunc(m[3], isSeparator) {
		n, err := strconv.ParseUint(digits, 10, 64)
		if err == nil { // at most 18 digits: always
			t.preNums = append(t.preNums, n)
		}
	}
	return rest
}

func leadingDigits(s string) string {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return s[:i]
		}
	}
	return s
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
