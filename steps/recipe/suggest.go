package recipe

// nearest is the name that was probably meant, "" when none is close.
func nearest(word string, names []string) string {
	best, at := "", 3
	if len(word) > 64 {
		return ""
	}
	for _, name := range names {
		// A short word is near to everything: allow a third of its letters.
		d := distance(word, name)
		if d < at && d <= (len(name)+1)/3 {
			best, at = name, d
		}
	}
	return best
}

// distance counts the letters to insert, drop or change between two words; two
// neighbours in the wrong order count once.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, prev, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(y)]
}
