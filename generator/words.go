package generator

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is how many bytes a Go name made from a contract may have. Longer ones are cut
// between words; the allocator keeps them apart.
const maxName = 120

// exported makes an exported Go identifier of any text: "customer_id" gives CustomerID,
// "+1" Plus1, "2fa" X2fa, "" Empty.
func exported(text string) string {
	var b strings.Builder
	parts := words(text)
	shout := shouting(parts)
	for _, w := range parts {
		if b.Len() > 0 && b.Len()+len(w) > maxName {
			break
		}
		b.WriteString(title(w, shout))
	}
	name := b.String()
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	r, _ := utf8.DecodeRuneInString(name)
	switch {
	case name == "":
		return "Empty"
	case unicode.IsUpper(r):
		return name
	default: // a digit, or a script without upper case
		return "X" + name
	}
}

// unexported makes an exported identifier unexported: CustomerID gives customerID,
// URLMap urlMap.
func unexported(name string) string {
	parts := words(name)
	if len(parts) == 0 || !strings.HasPrefix(name, parts[0]) {
		return "x" + name
	}
	lower := strings.ToLower(parts[0]) + name[len(parts[0]):]
	if r, _ := utf8.DecodeRuneInString(lower); unicode.IsUpper(r) { // a capital without a small letter
		return "x" + lower
	}
	return lower
}

// words cuts text where its author saw words: at everything that is neither letter nor
// digit, and where lower case turns to upper. A sign before a digit is a word, and so is
// every symbol of a text that has nothing else.
func words(text string) []string {
	var s splitter
	rs := []rune(text)
	for i, r := range rs {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if s.boundary(rs, i) {
				s.cut()
			}
			s.word = append(s.word, r)
		case r == '\'' || r == '’' || unicode.IsMark(r):
		case (r == '+' || r == '-') && len(s.word) == 0 && len(s.out) == 0 && i+1 < len(rs) && unicode.IsDigit(rs[i+1]):
			s.out = append(s.out, symbols[r])
		default:
			s.cut()
		}
	}
	s.cut()
	if len(s.out) == 0 {
		return symbolWords(rs)
	}
	return s.out
}

type splitter struct {
	out  []string
	word []rune
}

func (s *splitter) cut() {
	if len(s.word) > 0 {
		s.out = append(s.out, string(s.word))
		s.word = s.word[:0]
	}
}

// boundary says whether a new word starts at rs[i], a letter or digit.
func (s *splitter) boundary(rs []rune, i int) bool {
	if len(s.word) == 0 || !unicode.IsUpper(rs[i]) {
		return false
	}
	if !unicode.IsUpper(s.word[len(s.word)-1]) {
		return true
	}
	if i+1 >= len(rs) || !unicode.IsLower(rs[i+1]) {
		return false
	}
	return !pluralAt(rs, i) // HTTPServer is HTTP, Server; but IDs is one word
}

// pluralAt says whether the capital at rs[i] ends an acronym in the plural.
func pluralAt(rs []rune, i int) bool {
	return rs[i+1] == 's' && (i+2 >= len(rs) || !unicode.IsLower(rs[i+2]))
}

func symbolWords(rs []rune) []string {
	var out []string
	for _, r := range rs {
		if w, ok := symbols[r]; ok {
			out = append(out, w)
		}
	}
	return out
}

var symbols = map[rune]string{
	'+': "Plus", '-': "Minus", '*': "Star", '/': "Slash", '\\': "Backslash", '=': "Equal", '<': "Less", '>': "Greater",
	'!': "Not", '%': "Percent", '&': "And", '|': "Or", '^': "Caret", '~': "Tilde", '#': "Hash", '$': "Dollar", '@': "At",
	'.': "Dot", ',': "Comma", ':': "Colon", ';': "Semicolon", '?': "Question", '_': "Underscore", ' ': "Space",
	'(': "Open", ')': "Close", '[': "Open", ']': "Close", '{': "Open", '}': "Close", '"': "Quote", '\'': "Apostrophe",
}

// shouting says whether words are all upper case, so that the case means nothing.
func shouting(parts []string) bool {
	letters := 0
	for _, w := range parts {
		if strings.ToUpper(w) != w {
			return false
		}
		letters += len(w)
	}
	return letters > 1
}

// title writes one word as Go does: acronyms in upper case, others with a capital.
func title(w string, shout bool) string {
	upper := strings.ToUpper(w)
	if own := ownCase[upper]; own != "" {
		return own
	}
	if acronyms[upper] {
		return upper
	}
	if stem, ok := strings.CutSuffix(upper, "S"); ok && acronyms[stem] && !acronyms[w] {
		return stem + "s"
	}
	if shout {
		w = strings.ToLower(w)
	}
	r, n := utf8.DecodeRuneInString(w)
	return string(unicode.ToUpper(r)) + w[n:]
}

// acronyms are the words that Go writes in upper case: golint's list, and what contracts
// are full of.
var acronyms = set("ACL AMQP API ASCII AWS BIC CDN CIDR CPU CSS CSV CVE CVSS DB DNS EAN EOF FAQ GCP GPG GPU GUID HTML HTTP HTTPS " +
	"IBAN ID IP ISBN ISO JPEG JSON JWT LDAP LHS MAC MFA MIME MQTT NATS OIDC OK OTP PDF PGP PIN PNG QPS QR RAM RFC RHS RPC RSA SAML SBOM " +
	"SCIM SDK SHA SKU SLA SMS SMTP SQL SSD SSH SSL SSO SVG TCP TLS TTL UDP UI UID UPC URI URL URN UTC UTF8 UUID VAT VCPU VM " +
	"XML XMPP XSRF XSS YAML")

func set(list string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		m[w] = true
	}
	return m
}

// itemName is the name of one of several: OrderItems gives OrderItem.
func itemName(plural string) string {
	lower := strings.ToLower(plural)
	switch {
	case strings.HasSuffix(lower, "ies") && len(lower) > 4:
		return plural[:len(plural)-3] + "y"
	case strings.HasSuffix(lower, "sses"), strings.HasSuffix(lower, "xes"), strings.HasSuffix(lower, "ches"), strings.HasSuffix(lower, "shes"):
		return plural[:len(plural)-2]
	case strings.HasSuffix(lower, "ss"), strings.HasSuffix(lower, "us"), strings.HasSuffix(lower, "is"), !strings.HasSuffix(lower, "s"), len(lower) < 3:
		return plural + "Item"
	}
	return plural[:len(plural)-1]
}

// ownCase are names that have capitals of their own.
var ownCase = map[string]string{"OAUTH": "OAuth", "OAUTH2": "OAuth2"}
