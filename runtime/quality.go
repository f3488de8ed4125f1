package runtime

import (
	"strconv"
	"strings"
)

// quality says how welcome a media type is to who sent these lines of Accept, in
// thousandths, by the most specific range that covers it (RFC 9110, section 12.5.1).
func quality(lines []string, media string) int {
	best, q := 0, 0
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(part, ";")
			if s := specificity(strings.ToLower(strings.TrimSpace(name)), strings.ToLower(media)); s > best {
				best, q = s, weight(params)
			}
		}
	}
	return q
}

// specificity says how exactly a range names a media type; 0 where it does not.
func specificity(of, media string) int {
	media, _, _ = strings.Cut(media, ";")
	media = strings.TrimSpace(media)
	kind, _, _ := strings.Cut(media, "/")
	switch of {
	case media:
		return 3
	case kind + "/*":
		return 2
	case "*/*", "*":
		return 1
	}
	return 0
}

func weight(params string) int {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		if f, err := strconv.ParseFloat(value, 64); err == nil && f >= 0 && f <= 1 {
			return int(f * 1000)
		}
	}
	return 1000
}
