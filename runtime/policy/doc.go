// Package policy only holds this explanation. The policies of a call live in packages
// beside it, one each: pure state machines that are told the time and the dice, so that
// the runtime drives them with clocks and a simulator with virtual time.
//
// # Order
//
//	deadline → statistics → guards (rate, bulkhead, breaker, fallback) → interceptors →
//	retry under a budget → pick → per-attempt deadline → hedging → transport, whose
//	outcome goes to pick, eject and retry
//
// and on a server: admission → deadline → statistics → guards → interceptors → handler.
//
// The deadline comes first: everything after it must fit. Statistics stand outside the
// interceptors, so that what they add or refuse is counted, and outside retry, so that a
// call counts once however many attempts it took. Guards stand outside interceptors, so
// that a call which is not made costs no signature or log line. Interceptors see one call,
// not its attempts. Retry stands outside pick, so that each attempt may go elsewhere; the
// budget is asked before the wait, so that a call that will not be repeated fails at once.
// Ejection judges attempts, not calls: a call that was saved by a retry still incriminates
// the endpoint that failed. Admission comes before anything is read or decoded: refusing
// must cost next to nothing.
//
// # Defaults
//
// They come from simulations of ten backends under ten and 200 clients, by internal/sim,
// which drives these packages (make sim), and from runs against real processes that were
// stopped and killed (make faults-call):
//
//   - pick: power of two choices (Mitzenmacher 2001) by peak EWMA (Finagle), decay 10 s.
//     Shorter decays forget a slow host too soon. A failure counts as 50 ms at least:
//     with 250 ms, hosts that were restarted one after the other are avoided for so long
//     that the others are short of room.
//   - eject: five consecutive failures, since one hung host of three must be out before
//     a second's calls have met it, or half of 20 outcomes, which a sweep finds each
//     second; 5 s × n up to 60 s; never more than half. One refused connection counts for
//     five: there is nobody. With 200 clients, none of which makes five calls to one
//     host while that restarts, rolling deployments cost p99 × 1.34 without that, and
//     × 1.05 with it. Three seconds instead of five meet hosts that are still cold.
//   - trial: of the ten successes after a probe two failures eject again; one may be
//     chance, two in so few are not.
//   - slow start: 10 s, from a tenth.
//   - retry: two at most, full jitter (Brooker 2015) from 25 ms; at once where no
//     connection came about, or the server refused for its load: nothing was begun that
//     should be waited for.
//   - budget: 0.16 per call and 20 to begin with, which bounds the amplification of a
//     total failure to 1.2 from the 500th call on, and at least one per second, so that a
//     client with few calls may repeat them. A retry after
//     a refusal costs two: at 120 % load 1.10 attempts per call instead of 1.20, for the
//     same goodput.
//   - deadline: an attempt that may be repeated gets half of what is left, the last one
//     all of it.
//   - hedge (off): after the 95th percentile. Each client learns for itself what is slow
//     or hung, by a call that is slow: with 200 clients, and calls by the hundred
//     thousand, those calls are the 99.9th percentile. Only hedging mends that.
//   - admission (off): see package admit. At 120 % load a server without it answers 28 %
//     of the calls in time; with it 83 %, which is all that it can do.
//
// It imports nothing; the packages below it import only the standard library, and balance
// those of pick and eject.
package policy
