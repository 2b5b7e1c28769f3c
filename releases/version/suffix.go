package version

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	counterPattern = regexp.MustCompile(`^(ls|r)?([0-9]{1,9})$`)
	distroPattern  = regexp.MustCompile(`^(alpine|debian|ubuntu|ubi|fedora|centos|rockylinux|rocky|almalinux|oraclelinux|photon|el)([0-9]+(?:\.[0-9]+)*)?$`)
	plainNumber    = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)*$`)
)

// takeSuffix reads what stands after numbers and prerelease: the variant, and a
// build counter in it. It reports false when that cannot be told from a word
// ("8u412") or is a placeholder ("2.x").
func (t *Tag) takeSuffix(s string) bool {
	if s == "" {
		return true
	}
	if strings.HasPrefix(s, ".x") {
		return false
	}
	if n := s[1:]; s[0] == '_' && counterPattern.MatchString(n) && isDigit(n[0]) {
		t.setCounter("_", n, s)
		return true
	}
	switch s[0] {
	case '-':
		s = s[1:]
	case '.', '_', '+', '~': // part of the variant, kept with it
	default:
		return false
	}
	parts := strings.Split(s, "-")
	var kept, blanked []string
	for i := 0; i < len(parts); i++ {
		part := parts[i]
		if t.takeCounter(part, i == 0, i == len(parts)-1) {
			continue
		}
		kept = append(kept, part)
		m := distroPattern.FindStringSubmatch(part)
		switch {
		case m != nil && m[2] != "":
			t.base = part
			blanked = append(blanked, m[1]+"#")
		case m != nil && i+1 < len(parts) && plainNumber.MatchString(parts[i+1]): // "debian-12"
			i++
			kept = append(kept, parts[i])
			t.base = part + "-" + parts[i]
			blanked = append(blanked, part+"-#")
		case isCommit(part):
			blanked = append(blanked, "#commit")
		default:
			blanked = append(blanked, part)
		}
	}
	t.Suffix, t.family = strings.Join(kept, "-"), strings.Join(blanked, "-")
	return true
}

// takeCounter accepts "ls215" and "r3" at the end, a bare number right after the version.
func (t *Tag) takeCounter(part string, first, last bool) bool {
	m := counterPattern.FindStringSubmatch(part)
	if m == nil || t.counter.kind != "" || m[1] == "" && !first || m[1] != "" && !last {
		return false
	}
	kind := m[1]
	if kind == "" {
		kind = "-"
	}
	t.setCounter(kind, m[2], "-"+part)
	return true
}

func (t *Tag) setCounter(kind, digits, text string) {
	n, _ := strconv.ParseUint(digits, 10, 64) // at most nine digits: cannot fail
	t.counter = counter{kind: kind, n: n, text: text}
}

// isCommit finds the commit some images put between version and counter
// ("1.40.0.7998-c29d4c0c8-ls215"): it differs in every tag of one family.
func isCommit(part string) bool {
	part = strings.TrimPrefix(part, "g")
	return isHash(part) && strings.ContainsAny(part, "0123456789")
}
