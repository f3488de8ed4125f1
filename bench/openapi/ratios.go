package main

import (
	"fmt"
	"strings"
)

// A promise is one number of the design: what it is about, and how far we may go.
type promise struct {
	work   string
	value  float64
	known  bool // false: a side has nothing to measure
	unit   string
	target float64
	beside string // what the value is a ratio to, or what the peers have
}

func (p promise) row() string {
	if !p.known {
		return fmt.Sprintf("| %s | – | ≤ %g%s | cannot be told | %s |\n", p.work, p.target, p.unit, p.beside)
	}
	verdict := "yes"
	if p.value > p.target {
		verdict = "**no**"
	}
	format := "| %s | %.2f%s | ≤ %g%s | %s | %s |\n"
	if p.unit != "×" && p.value >= 10 {
		format = strings.Replace(format, "%.2f", "%.0f", 1)
	}
	return fmt.Sprintf(format, p.work, p.value, p.unit, p.target, p.unit, verdict, p.beside)
}

// ratios prints the numbers that the design promises, beside what was measured.
func (r *report) ratios(b *strings.Builder) {
	b.WriteString("\n## Promised and measured\n\n| work | Concordat | target | met | beside |\n|---|---|---|---|---|\n")
	for _, row := range r.generated {
		b.WriteString(promise{"Go lines per contract line, " + row.document.name, float64(row.results[concordat].lines) / float64(row.document.lines), row.results[concordat].failed == "", "", 3.5, perLine(row)}.row())
	}
	for _, row := range r.generated {
		if row.document.name != own {
			b.WriteString(cpuRatio("generate "+row.document.name+", CPU", row, 1).row())
		}
	}
	for _, row := range r.generated {
		if row.document.name == "github.json" {
			b.WriteString(promise{"generate github.json, memory", float64(row.results[concordat].memory >> 20), true, " MB", 350, memories(row)}.row())
		}
	}
	for _, row := range r.built {
		b.WriteString(cpuRatio("go build "+row.document.name+", CPU", row, 1.2).row())
	}
	for _, p := range r.atRunTime() {
		b.WriteString(p.row())
	}
}

func (r *report) atRunTime() []promise {
	return []promise{
		r.beside("Encode", ogen, 0.5), r.beside("MarshalJSON", ogen, 0.5), r.beside("Decode", ogen, 0.6), r.beside("DecodeList", ogen, 0.6),
		r.beside("Encode", sonic, 1), r.beside("MarshalJSON", sonic, 1), r.beside("Decode", sonic, 1), r.beside("DecodeList", sonic, 1),
		r.count("Decode", "allocs/op", " allocs", 12, 1),
		r.count("Route5", "cpu-ns/op", " ns", 60, 1), r.count("Route1000", "cpu-ns/op", " ns", 60, 1), r.count("Route1000", "allocs/op", " allocs", 0, 1),
		r.beside("HandlerList", ogen, 1), r.count("HandlerList", "B/op", " KB", 100, 1000), r.beside("HandlerPost", ogen, 1), r.count("HandlerPost", "allocs/op", " allocs", 50, 1),
		r.beside("LoopbackList", ogen, 1), r.beside("LoopbackPost", ogen, 1),
	}
}

// beside is the CPU of a benchmark as a ratio to another side's. Where the design names
// no number, the target is to be no slower.
func (r *report) beside(name, side string, target float64) promise {
	a, b := r.benchmarks[name][concordat], r.benchmarks[name][side]
	p := promise{work: title(name) + ", CPU", unit: "×", target: target, known: a != nil && b != nil, beside: side}
	if p.known {
		p.value = a["cpu-ns/op"] / b["cpu-ns/op"]
		if c := r.benchmarks[name][oapi]; c != nil && side == ogen {
			p.beside += fmt.Sprintf("; %s %.2f×", oapi, c["cpu-ns/op"]/b["cpu-ns/op"])
		}
	}
	return p
}

// count is a figure of a benchmark itself.
func (r *report) count(name, unit, label string, target, scale float64) promise {
	a := r.benchmarks[name][concordat]
	var others []string
	for _, side := range []string{ogen, oapi, sonic} {
		if f := r.benchmarks[name][side]; f != nil {
			others = append(others, fmt.Sprintf("%s %.0f", side, f[unit]/scale))
		}
	}
	return promise{work: title(name) + "," + label, value: a[unit] / scale, known: a != nil, unit: label, target: target, beside: strings.Join(others, ", ")}
}

func title(name string) string {
	for _, o := range order {
		if o[0] == name {
			return o[1]
		}
	}
	return name
}

// cpuRatio is beside oapi-codegen or, where that has nothing, beside ogen.
func cpuRatio(work string, r row, target float64) promise {
	a, b, c := r.results[concordat], r.results[oapi], r.results[ogen]
	p := promise{work: work, unit: "×", target: target}
	switch {
	case a.failed == "" && b.failed == "":
		p.known, p.value, p.beside = true, a.cpu.Seconds()/b.cpu.Seconds(), oapi
		if c.failed == "" {
			p.beside += fmt.Sprintf("; %s %.2f×", ogen, c.cpu.Seconds()/b.cpu.Seconds())
		} else {
			p.beside += "; " + ogen + " fails"
		}
	case a.failed == "" && c.failed == "":
		p.known, p.value, p.beside = true, a.cpu.Seconds()/c.cpu.Seconds(), ogen+", since "+oapi+" fails"
	default:
		p.beside = "no peer has an output that compiles"
	}
	return p
}

func perLine(r row) string {
	return each(r, func(x result) string { return fmt.Sprintf("%.1f", float64(x.lines)/float64(r.document.lines)) })
}

func memories(r row) string {
	return each(r, func(x result) string { return fmt.Sprintf("%d MB", x.memory>>20) })
}

// each lists what the peers have.
func each(r row, f func(result) string) string {
	var all []string
	for _, side := range []string{ogen, oapi} {
		if x := r.results[side]; x.failed == "" {
			all = append(all, side+" "+f(x))
		} else {
			all = append(all, side+" fails")
		}
	}
	return strings.Join(all, ", ")
}
