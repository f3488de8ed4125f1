package kafka

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// lookEvery is how often a subscription to a template looks for topics that are new.
const lookEvery = 5 * time.Second

// topics are those of a subscription: one, or all that a template stands for, and those in
// which messages of its group wait that were put off.
type topics struct {
	sub    *subscription
	fixed  string         // "" for a template
	filter *regexp.Regexp // nil for a fixed one
	delays string         // what the names of topics for delays begin with; "" without a group

	mu   sync.Mutex
	have map[string]bool
	ends map[string]map[int32]kgo.Offset // where they ended when we came; without a group
}

func newTopics(s *subscription) *topics {
	t := &topics{sub: s, have: map[string]bool{}, ends: map[string]map[int32]kgo.Offset{}}
	topic := s.Broker.place(s.Address, s.set)
	if topic == spell(s.Address) && strings.Contains(s.Address, "{") {
		t.filter = filterOf(s.Address)
	} else {
		t.fixed = topic
	}
	t.delays = delaysOf(topic, s.Group)
	return t
}

// delaysOf begins the names of topics in which messages of a group wait.
func delaysOf(topic, group string) string {
	clean := func(r rune) rune {
		if illegal(r) {
			return '_'
		}
		return r
	}
	name := strings.Map(clean, topic) + "." + strings.Map(clean, group)
	return name[:min(len(name), maxTopic-32)] + ".delay."
}

func (t *topics) mine(topic string) bool {
	return topic == t.fixed || t.filter != nil && t.filter.MatchString(topic) || t.sub.Group != "" && strings.HasPrefix(topic, t.delays)
}

func (t *topics) names() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for name := range t.have {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// prepare makes the topic where it is one, and finds those that are there.
func (t *topics) prepare(ctx context.Context, c *kgo.Client) error {
	s := t.sub
	if t.fixed != "" {
		if err := checkTopic(t.fixed); err != nil {
			return err
		}
		if err := s.ensure(ctx, c, t.fixed, s.set); err != nil {
			return err
		}
	}
	fresh, err := t.look(ctx, c)
	if err == nil && s.Group == "" {
		t.ends, err = ends(ctx, c, fresh)
	}
	if err != nil {
		return s.explain("find the topics of "+s.Address+" on", err)
	}
	return nil
}

// look finds topics that are new, with how many partitions they have.
func (t *topics) look(ctx context.Context, c *kgo.Client) (map[string]int, error) {
	req := kmsg.NewPtrMetadataRequest() // of all topics
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return nil, err
	}
	fresh := map[string]int{}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, found := range resp.Topics {
		if found.Topic == nil || found.ErrorCode != 0 || t.have[*found.Topic] || !t.mine(*found.Topic) {
			continue
		}
		t.have[*found.Topic] = true
		fresh[*found.Topic] = len(found.Partitions)
	}
	return fresh, nil
}

// lose says that a topic was deleted, so that one of its name is new.
func (t *topics) lose(topic string) {
	t.mu.Lock()
	delete(t.have, topic)
	t.mu.Unlock()
	t.sub.announce()
}

// ends asks where topics end.
func ends(ctx context.Context, c *kgo.Client, of map[string]int) (map[string]map[int32]kgo.Offset, error) {
	out := map[string]map[int32]kgo.Offset{}
	if len(of) == 0 {
		return out, nil
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.IsolationLevel = -1, 1
	for topic, n := range of {
		one := kmsg.NewListOffsetsRequestTopic()
		one.Topic = topic
		for i := range n {
			p := kmsg.NewListOffsetsRequestTopicPartition()
			p.Partition, p.Timestamp = int32(i), -1
			one.Partitions = append(one.Partitions, p)
		}
		req.Topics = append(req.Topics, one)
	}
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, t := range resp.Topics {
		out[t.Topic] = map[int32]kgo.Offset{}
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, err
			}
			out[t.Topic][p.Partition] = kgo.NewOffset().At(p.Offset)
		}
	}
	return out, nil
}

// watch looks for topics that are new until ctx is done: those of a template, and, where
// the one of an address was deleted, makes it again.
func (t *topics) watch(ctx context.Context) {
	for {
		news := t.sub.news()
		select {
		case <-news:
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return
		}
		if t.filter == nil && !t.repair(ctx) {
			continue
		}
		fresh, err := t.look(ctx, t.sub.client)
		if err != nil {
			continue // the client reports lost connections
		}
		t.add(fresh)
	}
}

// repair makes the topic of an address again that was deleted; true says that all topics
// should be looked at.
func (t *topics) repair(ctx context.Context) bool {
	s := t.sub
	if !s.declare || present(ctx, s.client, t.fixed) == nil {
		return true
	}
	s.forget(t.fixed)
	if err := s.ensure(ctx, s.client, t.fixed, s.set); err != nil && ctx.Err() == nil {
		s.log.Warn("a topic is missing", "broker", "kafka", "address", s.Address, "error", err)
	}
	return true
}

// add consumes topics that are new, from their beginning.
func (t *topics) add(fresh map[string]int) {
	for topic, n := range fresh {
		if t.sub.Group != "" {
			t.sub.client.AddConsumeTopics(topic)
			continue
		}
		from := map[int32]kgo.Offset{}
		for i := range n {
			from[int32(i)] = kgo.NewOffset().AtStart()
		}
		t.sub.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	}
}

// Delay implements broker.Delayer by a topic for each length of time, in which the messages
// of the group of s wait: its members read them and hand them on when they are due.
func (b *Broker) Delay(ctx context.Context, s broker.Subscription, m *broker.Message, d time.Duration) error {
	set, err := b.parse(s.Settings, s.Address)
	if err != nil {
		return err
	}
	c, err := b.connect(ctx)
	if err != nil {
		return err
	}
	topic := delaysOf(b.place(s.Address, set), s.Group) + d.String()
	waiting := *set
	waiting.config = nil
	if err := b.ensure(ctx, c, topic, &waiting); err != nil {
		return err
	}
	if err := produce(ctx, c, delayed(m, topic, time.Now().Add(d))).wait(ctx); err != nil {
		b.forget(topic)
		return b.explain("put off a message to "+m.Address+" on", err)
	}
	return nil
}
