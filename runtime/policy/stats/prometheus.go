package stats

import (
	"fmt"
	"strconv"
	"strings"
)

// A Side is the operations of one server or connection, as metrics label them.
type Side struct {
	Name       string // "server" or "client"
	Peer       string // target of a connection; "" for a server
	Operations []Operation
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
