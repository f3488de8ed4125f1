package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// originSetting is a setting of ours: the topic that a message was received from.
const originSetting = "concordat.topic"

// A topicRule is what WithTopic says.
type topicRule struct {
	template string
	pattern  broker.Pattern
	topic    string
}

// settings are what the contract says for Kafka (AsyncAPI's bindings, 0.5.0).
type settings struct {
	topic      string
	partitions int32 // -1: as the cluster has it
	replicas   int16 // -1: as the cluster has it
	config     map[string]string
	clientID   string
}

const topicConfiguration = "topicConfiguration."

func (b *Broker) parse(all []broker.Setting, at string) (*settings, error) {
	s := &settings{partitions: -1, replicas: -1}
	known := []string{"topic", "partitions", "replicas", "clientId", "groupId", "key", "schemaIdLocation", "schemaIdPayloadEncoding", "schemaLookupStrategy", originSetting}
	for _, one := range all {
		if one.Protocol != "kafka" {
			continue
		}
		if err := s.set(one.Name, one.Value); err != nil {
			return nil, fmt.Errorf("kafka: the contract's setting %s is %q: %w", one.Name, one.Value, err)
		}
		if strings.HasPrefix(one.Name, topicConfiguration) {
			known = append(known, one.Name)
		}
	}
	b.unknown.Warn(b.log, all, "kafka", at, known...)
	return s, nil
}

func (s *settings) set(name, value string) error {
	switch name {
	case "topic":
		s.topic = value
		return checkTopic(value)
	case "partitions":
		n, err := strconv.ParseInt(value, 10, 32)
		if s.partitions = int32(n); err != nil || n < 1 {
			return errors.New("it is a number, 1 or more")
		}
	case "replicas":
		n, err := strconv.ParseInt(value, 10, 16)
		if s.replicas = int16(n); err != nil || n < 1 {
			return errors.New("it is a number, 1 or more")
		}
	case "clientId":
		s.clientID = value
	}
	if key, ok := strings.CutPrefix(name, topicConfiguration); ok {
		if s.config == nil {
			s.config = map[string]string{}
		}
		s.config[key] = configValue(value)
	}
	return nil
}

// configValue writes a list as Kafka does.
func configValue(v string) string {
	var list []string
	if strings.HasPrefix(v, "[") && json.Unmarshal([]byte(v), &list) == nil {
		return strings.Join(list, ",")
	}
	return v
}

// topicOf is where a message goes.
func (b *Broker) topicOf(m *broker.Message) (string, *settings, error) {
	set, err := b.parse(m.Settings, "")
	if err != nil {
		return "", nil, err
	}
	topic := b.place(m.Address, set)
	if m.Headers[broker.HeaderReplays] != "" && m.Headers[broker.HeaderReason] == "" {
		topic = broker.Get(m.Settings, "kafka", originSetting, topic)
	}
	return topic, set, checkTopic(topic)
}

// place is the topic of an address.
func (b *Broker) place(address string, set *settings) string {
	switch {
	case set.topic != "":
		return set.topic
	case strings.HasPrefix(address, broker.Inbox):
		return b.replies
	}
	for _, r := range b.topics {
		if r.template == address || r.pattern.Match(address) {
			return r.topic
		}
	}
	return spell(address)
}

// ensure makes sure that a topic is there.
func (b *Broker) ensure(ctx context.Context, c *kgo.Client, topic string, set *settings) error {
	b.mu.Lock()
	known := b.known[topic]
	b.mu.Unlock()
	if known {
		return nil
	}
	err := present(ctx, c, topic)
	if errors.Is(err, kerr.UnknownTopicOrPartition) && b.declare {
		err = b.create(ctx, c, topic, set)
	}
	if err != nil {
		return b.explain("find or create the topic "+topic+" on", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known[topic] = true
	return nil
}

// forget says that a topic may be gone.
func (b *Broker) forget(topic string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.known, topic)
}

// present asks for a topic.
func present(ctx context.Context, c *kgo.Client, topic string) error {
	req := kmsg.NewPtrMetadataRequest()
	one := kmsg.NewMetadataRequestTopic()
	one.Topic = new(topic)
	req.Topics = append(req.Topics, one)
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}

// create makes a topic as the contract says, and waits until it is there.
func (b *Broker) create(ctx context.Context, c *kgo.Client, topic string, set *settings) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = int32(dialTime / time.Millisecond)
	one := kmsg.NewCreateTopicsRequestTopic()
	one.Topic, one.NumPartitions, one.ReplicationFactor = topic, set.partitions, set.replicas
	for name, value := range set.config {
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = name, new(value)
		one.Configs = append(one.Configs, config)
	}
	req.Topics = append(req.Topics, one)
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			if t.ErrorMessage != nil {
				err = fmt.Errorf("%w: %s", err, *t.ErrorMessage)
			}
			return err
		}
	}
	for n := 0; ; n++ {
		if err := present(ctx, c, topic); err == nil || !kerr.IsRetriable(err) {
			b.announce()
			return err
		}
		if !pause(ctx, backoff(n)) {
			return ctx.Err()
		}
	}
}

// announce tells subscriptions that there is a new topic.
func (b *Broker) announce() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.created)
	b.created = make(chan struct{})
}

// news is closed when we create the next topic.
func (b *Broker) news() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.created
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
