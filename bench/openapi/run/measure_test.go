package run

import (
	"syscall"
	"testing"
	"time"
)

// The names of the sides, as the driver reads them from the output.
const (
	concordatSide = "concordat"
	ogenSide      = "ogen"
	oapiSide      = "oapi-codegen"
	sonicSide     = "sonic"
)

// measure runs f b.N times and reports the processor time that the whole process took
// for one, the collector's work included: wall time says little on a busy machine.
func measure(b *testing.B, f func()) {
	b.Helper()
	b.ReportAllocs()
	f()
	b.ResetTimer()
	before := cpu(b)
	for range b.N {
		f()
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpu is the processor time of this process, user and system.
func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
