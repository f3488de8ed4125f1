package main

import (
	"bytes"
	"cmp"
	"context"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// A cost is what one process and its children took.
type cost struct {
	cpu    time.Duration // user and system
	memory int64         // bytes, the peak of the largest process
}

// measure runs a command. The output is both streams; err is that of the command.
func measure(ctx context.Context, dir, name string, args ...string) (c cost, output string, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if s := cmd.ProcessState; s != nil {
		c.cpu = s.UserTime() + s.SystemTime()
		if u, ok := s.SysUsage().(*syscall.Rusage); ok {
			c.memory = u.Maxrss * rssUnit
		}
	}
	return c, out.String(), err
}

// median of an empty list is zero; of an even number it is the lower of the middle two.
func median[T cmp.Ordered](all []T) T {
	var zero T
	if len(all) == 0 {
		return zero
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)/2]
}

// medians takes each column's median.
func medians(all []cost) cost {
	var cpu []time.Duration
	var memory []int64
	for _, c := range all {
		cpu, memory = append(cpu, c.cpu), append(memory, c.memory)
	}
	return cost{median(cpu), median(memory)}
}

func countLines(data []byte) int { return bytes.Count(data, []byte("\n")) }
