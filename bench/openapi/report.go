package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A report is all that was measured.
type report struct {
	generated, built []row
	benchmarks       map[string]map[string]figures
}

var columns = []string{concordat, ogen, oapi}

func (r *report) markdown(o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Concordat beside ogen v1.24.0, oapi-codegen v2.8.2 and sonic v1.15.5\n\nMeasured %s, %s, %s/%s, %d cores; the medians of %d rounds (builds: %d), the tools in turns.\nThe machine was busy with other work all the time: trust ratios within a row, counts of\nallocations, and yes or no; not seconds, and least of all p99. README.md says how to read this.\n",
		time.Now().UTC().Format("2006-01-02 15:04 MST"), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), o.rounds, o.builds)
	r.ratios(&b)
	r.documents(&b, "Generate", r.generated)
	r.documents(&b, "go build", r.built)
	r.figures(&b)
	return b.String()
}

// documents prints one table of generating or building.
func (r *report) documents(b *strings.Builder, title string, rows []row) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\nCPU, peak memory of the largest process", title)
	if title == "Generate" {
		b.WriteString(", lines of Go and those per line of contract")
	}
	b.WriteString(".\n\n| document | lines | " + strings.Join(columns, " | ") + " |\n|---|---|---|---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(b, "| %s | %d |", row.document.name, row.document.lines)
		for _, c := range columns {
			b.WriteString(" " + row.results[c].cell(row.document) + " |")
		}
		b.WriteByte('\n')
	}
}

func (r result) cell(d document) string {
	if r.failed != "" {
		return "**fails**: " + strings.ReplaceAll(r.failed, "|", "\\|")
	}
	s := fmt.Sprintf("%.2f s, %d MB", r.cpu.Seconds(), r.memory>>20)
	if r.lines > 0 {
		s += fmt.Sprintf(", %d lines, %.2f", r.lines, float64(r.lines)/float64(d.lines))
	}
	if r.note != "" {
		s += ", " + r.note
	}
	return s
}

// order is that of the benchmarks in tables, with what they are called there.
var order = [][2]string{
	{"Encode", "encode 1 KB object, buffer reused"},
	{"MarshalJSON", "encode 1 KB object, MarshalJSON"},
	{"Decode", "decode 1 KB object"},
	{"DecodeList", "decode list of 100"},
	{"Route5", "route, 5 routes"},
	{"Route1000", "route, 1,000 routes"},
	{"HandlerList", "handler, GET list of 100"},
	{"HandlerPost", "handler, POST 1 KB"},
	{"LoopbackList", "loopback, GET list of 100"},
	{"LoopbackPost", "loopback, POST 1 KB"},
}

// figures prints what every side took at run time.
func (r *report) figures(b *strings.Builder) {
	all := append(slices.Clone(columns), sonic)
	b.WriteString("\n## At run time\n\nCPU, bytes and allocations of one; loopback: client and server together, and the latency of 8 callers.\n\n| work | " + strings.Join(all, " | ") + " |\n|---|---|---|---|---|\n")
	for _, o := range order {
		fmt.Fprintf(b, "| %s |", o[1])
		for _, c := range all {
			b.WriteString(" " + r.benchmarks[o[0]][c].cell() + " |")
		}
		b.WriteByte('\n')
	}
}

func (f figures) cell() string {
	if f == nil {
		return "–"
	}
	s := fmt.Sprintf("%s, %.0f B, %.0f allocs", nanoseconds(f["cpu-ns/op"]), f["B/op"], f["allocs/op"])
	if p, ok := f["p50-ns"]; ok {
		s += fmt.Sprintf(", p50 %s, p99 %s", nanoseconds(p), nanoseconds(f["p99-ns"]))
	}
	return s
}

func nanoseconds(n float64) string {
	switch {
	case n < 1e3:
		return fmt.Sprintf("%.0f ns", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f µs", n/1e3)
	}
	return fmt.Sprintf("%.2f ms", n/1e6)
}
