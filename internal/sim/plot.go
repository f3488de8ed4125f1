package sim

import (
	"bytes"
	"fmt"
	"html"
	"time"
)

// The measures of a plot, in pixels.
const (
	width, panel, left, top = 640, 120, 60, 40
)

// Plot draws what happened in each second as an SVG: calls and those that were answered
// above, the 99th percentile of the latencies below, one line for each result.
func Plot(s Scenario, results []*Result) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", width, 2*panel+top+70)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/><text x="%d" y="20" font-size="14">%s: %s</text>`+"\n", left, html.EscapeString(s.Name), html.EscapeString(s.About))
	colours := []string{"#1f6f8b", "#c8553d", "#6a994e", "#7b4b94"}
	most, slowest := 1.0, 1.0
	for _, r := range results {
		for _, x := range r.shown() {
			most, slowest = max(most, float64(x.Attempts)), max(slowest, float64(x.P99)/1e6)
		}
	}
	axis(&b, top, most, "per second")
	axis(&b, top+panel+30, slowest, "p99, ms")
	for i, r := range results {
		c := colours[i%len(colours)]
		line(&b, top, most, c, "", r, func(x Second) float64 { return float64(x.Good) })
		line(&b, top, most, c, "3 3", r, func(x Second) float64 { return float64(x.Attempts) })
		line(&b, top+panel+30, slowest, c, "", r, func(x Second) float64 { return float64(x.P99) / 1e6 })
		fmt.Fprintf(&b, `<text x="%d" y="%d" fill="%s">%d clients: answered (dashed: attempts)</text>`+"\n", left+i*240, 2*panel+top+58, c, r.Clients)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// shown leaves out the last seconds, in which no calls come.
func (r *Result) shown() []Second { return r.Seconds[:min(len(r.Seconds), int(until/time.Second))] }

func axis(b *bytes.Buffer, y int, most float64, name string) {
	fmt.Fprintf(b, `<path d="M%d %dV%dH%d" fill="none" stroke="#888"/>`, left, y, y+panel, width-20)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%.0f</text><text x="%d" y="%d" text-anchor="end">0</text>`, left-5, y+8, most, left-5, y+panel)
	fmt.Fprintf(b, `<text x="%d" y="%d" fill="#555">%s</text>`, left+5, y+8, name)
	for s := 0; s <= int(until/time.Second); s += 10 {
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%d s</text>`, x(float64(s)), y+panel+14, s)
	}
	b.WriteByte('\n')
}

func x(second float64) int {
	return left + int(second/until.Seconds()*float64(width-20-left))
}

func line(b *bytes.Buffer, y int, most float64, colour, dashes string, r *Result, of func(Second) float64) {
	fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="1.5" stroke-dasharray="%s" points="`, colour, dashes)
	for n, s := range r.shown() {
		fmt.Fprintf(b, "%d,%d ", x(float64(n)+0.5), y+panel-int(of(s)/most*float64(panel)))
	}
	b.WriteString("\"/>\n")
}
