package stats

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Side is the operations of one server or connection, as metrics label them.
type Side struct {
	Name       string // "server" or "client"
	Peer       string // target of a connection; "" for a server
	Operations []Operation

	Plaintext bool      // neither encrypted nor authenticated
	Expires   time.Time // when its certificate does; zero: it has none
	Stale     bool      // the newest certificates are invalid, so older ones are in use
}

// Prometheus writes the statistics in Prometheus' text format 0.0.4. codes names the
// codes. Of the buckets, which are cumulative, every second one is written: the doublings.
func Prometheus(sides []Side, codes []string) string {
	w := &text{sides: sides}
	w.family("concordat_calls_in_flight", "gauge", "Calls that have begun and not ended.", func(o *Operation, labels string) {
		w.line("concordat_calls_in_flight", labels, o.InFlight)
	})
	w.family("concordat_retries_total", "counter", "Attempts beyond the first.", func(o *Operation, labels string) {
		w.line("concordat_retries_total", labels, o.Retries)
	})
	w.family("concordat_calls_total", "counter", "Calls that have ended, by code.", func(o *Operation, labels string) {
		w.line("concordat_calls_total", labels+`,code="`+codes[0]+`"`, o.Calls-o.Failed())
		for c, n := range o.Failures {
			if n > 0 {
				w.line("concordat_calls_total", labels+`,code="`+codes[c]+`"`, n)
			}
		}
	})
	w.family("concordat_call_duration_seconds", "histogram", "How long calls took.", w.histogram)
	w.security()
	return w.b.String()
}

type text struct {
	b     strings.Builder
	sides []Side
}

func (w *text) family(name, kind, help string, each func(o *Operation, labels string)) {
	fmt.Fprintf(&w.b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
	for _, s := range w.sides {
		for i := range s.Operations {
			o := &s.Operations[i]
			labels := `side="` + escape(s.Name) + `",operation="` + escape(o.Name) + `"`
			if s.Peer != "" {
				labels += `,target="` + escape(s.Peer) + `"`
			}
			each(o, labels)
		}
	}
}

// security is what concerns whole sides: it has no operation.
func (w *text) security() {
	w.whole("concordat_plaintext", "1 where there is neither encryption nor authentication.", func(s *Side) (int64, bool) { return number(s.Plaintext), true })
	w.whole("concordat_certificate_expiry_timestamp_seconds", "When the certificate in use expires.", func(s *Side) (int64, bool) { return s.Expires.Unix(), !s.Expires.IsZero() })
	w.whole("concordat_certificate_reload_failed", "1 where the newest certificates are invalid, so that older ones are in use.", func(s *Side) (int64, bool) { return number(s.Stale), !s.Plaintext })
}

func (w *text) whole(name, help string, of func(*Side) (n int64, known bool)) {
	fmt.Fprintf(&w.b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
	for i := range w.sides {
		s := &w.sides[i]
		if n, known := of(s); known {
			w.line(name, s.labels(), n)
		}
	}
}

func (s *Side) labels() string {
	labels := `side="` + escape(s.Name) + `"`
	if s.Peer != "" {
		labels += `,target="` + escape(s.Peer) + `"`
	}
	return labels
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (w *text) line(name, labels string, n int64) {
	fmt.Fprintf(&w.b, "%s{%s} %d\n", name, labels, n)
}

func (w *text) histogram(o *Operation, labels string) {
	const name = "concordat_call_duration_seconds"
	var sum int64
	for i, n := range o.Buckets {
		if sum += n; i%2 == 0 {
			w.line(name+"_bucket", labels+`,le="`+seconds(Bound(i).Seconds())+`"`, sum)
		}
	}
	w.line(name+"_bucket", labels+`,le="+Inf"`, o.Calls)
	fmt.Fprintf(&w.b, "%s_sum{%s} %s\n", name, labels, seconds(o.Sum.Seconds()))
	w.line(name+"_count", labels, o.Calls)
}

func seconds(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// escape is what the format asks of label values.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace
