package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ReplayGroup is the group that receives dead letters to publish them again. Brokers that
// make a place for dead letters make it for this group.
const ReplayGroup = "replay"

// HeaderReplays counts, in decimal, how often a message came back from the dead letters.
const HeaderReplays = "concordat-replays"

// A Replay says which dead letters to publish again. The zero value means all at
// DefaultDeadLetter.
type Replay struct {
	From  string                // address of the dead letters; "" is DefaultDeadLetter
	Limit int                   // how many at most; 0 is no limit
	Idle  time.Duration         // how long nothing must come until it is over; 0 is 2 s
	Pick  func(m *Message) bool // which; nil is all. Those that are not picked stay
}

// errStays gives a dead letter back.
var errStays = errors.New("the dead letter stays")

// Run publishes dead letters to the addresses where they were received, as they were, and
// with HeaderReplays. Where the broker can tell, they come only to the group that failed.
// Each is acknowledged when it is published, so that none is lost. It returns how many
// were published when no more come, or the limit is reached.
func (r Replay) Run(ctx context.Context, b Broker) (int, error) {
	if r.From == "" {
		r.From = DefaultDeadLetter
	}
	if r.Idle <= 0 {
		r.Idle = 2 * time.Second
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	idle := time.AfterFunc(time.Hour, cancel)
	defer idle.Stop()
	var sent atomic.Int64
	kept := map[string]bool{}
	var failed error
	s := Subscription{Address: r.From, Group: ReplayGroup, Ready: func() { idle.Reset(r.Idle) }}
	err := b.Subscribe(ctx, s, func(ctx context.Context, m *Message) error {
		idle.Reset(r.Idle)
		switch {
		case r.Limit > 0 && int(sent.Load()) >= r.Limit:
			cancel()
			return errStays
		case r.Pick != nil && !r.Pick(m):
			if kept[m.ID] { // seen before: nothing new is behind it
				cancel()
			}
			kept[m.ID] = true
			return errStays
		}
		if err := b.Publish(ctx, revived(m)); err != nil {
			failed = fmt.Errorf("replay: %w", err)
			cancel()
			return err
		}
		if n := sent.Add(1); r.Limit > 0 && int(n) >= r.Limit {
			cancel()
		}
		return nil
	})
	return int(sent.Load()), errors.Join(err, failed)
}

// revived is the message that dead was.
func revived(dead *Message) *Message {
	m := *dead
	m.Address = dead.Headers[HeaderOriginalAddress]
	m.Headers = maps.Clone(dead.Headers)
	if group := dead.Headers[HeaderGroup]; group != "" {
		m.Settings = append(m.Settings, Setting{Protocol: "concordat", Name: "group", Value: group})
	}
	for _, h := range []string{HeaderReason, HeaderError, HeaderAttempts, HeaderOriginalAddress, HeaderGroup, HeaderDelays} {
		delete(m.Headers, h)
	}
	n, _ := strconv.Atoi(m.Headers[HeaderReplays])
	if m.Headers == nil {
		m.Headers = map[string]string{}
	}
	m.Headers[HeaderReplays] = strconv.Itoa(n + 1)
	if m.ID != "" { // another one, or a broker that drops duplicates would drop it
		id, _, _ := strings.Cut(strings.TrimSuffix(m.ID, ".dead"), ".replay")
		m.ID = id + ".replay" + strconv.Itoa(n+1)
	}
	return &m
}
