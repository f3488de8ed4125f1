// Package deadline shares what is left of a call's time among its attempts, and carries
// it to the server.
//
// It imports only the standard library.
package deadline

import (
	"strconv"
	"time"
)

// Header carries what is left of an attempt's time when it is sent. gRPC has it by that
// name and in that form (gRPC over HTTP/2: a number of at most eight digits and a unit),
// gateways between REST and gRPC accept it on REST, and no RFC names another; so one
// header, written and read by one piece of code, serves both. It is relative, because
// clocks differ.
const Header = "Grpc-Timeout"

// Share returns how much of left the attempt n (from 0) of at most last+1 gets: half, so
// that a host which hangs leaves time for another, and all of it where no attempt can
// follow.
func Share(left time.Duration, n, last int) time.Duration {
	if n >= last {
		return left
	}
	return left / 2
}

// units are the units of Header, the finest first.
var units = [...]struct {
	name byte
	d    time.Duration
}{
	{'n', time.Nanosecond}, {'u', time.Microsecond}, {'m', time.Millisecond},
	{'S', time.Second}, {'M', time.Minute}, {'H', time.Hour},
}

// Format writes d in the finest unit from microseconds up that eight digits hold. What
// is left over is dropped.
func Format(d time.Duration) string {
	for _, u := range units[1:] {
		if n := d / u.d; n < 1e8 {
			return string(append(strconv.AppendInt(make([]byte, 0, 9), max(0, int64(n)), 10), u.name))
		}
	}
	return "99999999H"
}

// Parse reads what Format and gRPC clients write. false says that s is not of the form.
func Parse(s string) (time.Duration, bool) {
	if len(s) < 2 || len(s) > 9 {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	if err != nil {
		return 0, false
	}
	for _, u := range units {
		if u.name == s[len(s)-1] {
			const most = time.Duration(1<<63 - 1)
			if time.Duration(n) > most/u.d {
				return most, true
			}
			return time.Duration(n) * u.d, true
		}
	}
	return 0, false
}
