package diag

import "strings"

// Nearest returns the one of names that s was probably meant to be: it differs in at most
// two letters, and in no more than half of its own, upper and lower case being one, two
// neighbours that changed places being one difference; or one goes on where the other ends. It is "" where none is that close. The first of equals
// wins.
func Nearest(s string, names []string) string {
	best, least := "", 3
	if len(s) > 60 {
		return best // nobody mistypes that much, and whoever sends it may mean harm
	}
	low := strings.ToLower(s)
	for _, n := range names {
		name := strings.ToLower(n)
		if best == "" && min(len(s), len(n)) > 2 && (strings.HasPrefix(low, name) || strings.HasPrefix(name, low)) {
			best = n
		}
		d := distance(low, name)
		if swapped(low, name) {
			d = 1
		}
		if d < least && d <= len(n)/2 {
			best, least = n, d
		}
	}
	return best
}

// swapped says whether a and b differ only in two neighbours that changed places.
func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) - 1 {
		if a[i] != b[i] {
			return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
		}
	}
	return false
}

// distance counts the letters to insert, delete or replace between two words
// (Levenshtein 1965).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
