// Package policy only holds this explanation. The policies of a call live in packages
// beside it, one each: pure state machines that are told the time and the dice, so that
// the runtime drives them with clocks and a simulator with virtual time.
//
// # Order
//
//	deadline → statistics → interceptors → retry under a budget → pick → per-attempt
//	deadline → transport, whose outcome goes to pick, eject and retry
//
// The deadline comes first: everything after it must fit. Statistics stand outside the
// interceptors, so that what they add or refuse is counted, and outside retry, so that a
// call counts once however many attempts it took. Interceptors see one call, not its
// attempts. Retry stands outside pick, so that each attempt may go elsewhere; the budget
// is asked before the wait, so that a call that will not be repeated fails at once.
// Ejection judges attempts, not calls: a call that was saved by a retry still
// incriminates the endpoint that failed.
//
// # Defaults
//
// They come from simulations of ten backends under ten clients (one slow, one failing
// fast, one hung, one restarted, rolling restarts, 120 % load, a storm after a blip) and
// from runs against real processes that were stopped and killed:
//
//   - pick: power of two choices (Mitzenmacher 2001) by peak EWMA (Finagle), decay 10 s.
//     Shorter decays forget a slow host too soon.
//   - eject: five consecutive failures, since one hung host of three must be out before
//     a second's calls have met it; 5 s × n up to 60 s; never more than half.
//   - retry: two at most, full jitter (Brooker 2015) from 25 ms.
//   - budget: 0.2 per call, which bounds the amplification of a total failure to 1.2,
//     and one per second, so that a client with few calls may repeat them.
//   - deadline: an attempt that may be repeated gets half of what is left, the last one
//     all of it.
//
// It imports nothing; the packages below it import only the standard library.
package policy
