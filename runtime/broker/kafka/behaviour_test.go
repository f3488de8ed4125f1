package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/broker/kafka"
	"github.com/concordat-dev/concordat/runtime/broker/kafka/kafkaembed"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
	"github.com/concordat-dev/concordat/runtime/tlsconf/devca"
)

const patience = 20 * time.Second

func publish(t *testing.T, b *kafka.Broker, m *broker.Message) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return b.Publish(ctx, m)
}

// subscribe begins a subscription that is ready when it returns.
func subscribe(t *testing.T, b broker.Broker, s broker.Subscription, h broker.Handler) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	up, done := make(chan struct{}), make(chan error, 1)
	s.Ready = func() { close(up) }
	go func() { done <- b.Subscribe(ctx, s, h) }()
	select {
	case <-up:
	case err := <-done:
		cancel()
		t.Fatal(err)
	}
	return func() error { cancel(); return <-done }
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing arrived")
		panic("unreachable")
	}
}

// plain is a client that knows nothing of us.
func plain(t *testing.T, url string, o ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.TrimPrefix(url, "kafka://"))}, o...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestTargets(t *testing.T) {
	for target, want := range map[string]string{
		"localhost:9092":                      "is no list of servers",
		"amqp://user:secret@localhost":        "is no list of servers",
		"":                                    "is no list of servers",
		"kafka://user:secret@localhost/topic": "is no list of servers",
		"kafka://user:sec%ret@localhost":      "is no list of servers",
		"kafka://a,kafka-secure://b":          "all kafka-secure:// or all kafka://",
		"kafka://user:secret@a?sasl_mechanism=GSSAPI":          "is not supported",
		"kafka://a?sasl_mechanism=PLAIN":                       "needs a user",
		"kafka://user:secret@a?acks=0":                         "is not known",
		"kafka-secure://user:secret@a:9093,b:9093":             "",
		"kafka://user:secret@a?sasl_mechanism=scram-sha-256,b": "",
	} {
		_, err := kafka.New(target)
		switch {
		case want == "" && err != nil && !strings.Contains(target, ",b"):
			t.Errorf("%s: %v", target, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret@")):
			t.Errorf("%s: got %v", target, err)
		}
	}
	for what, o := range map[string]kafka.Option{
		"TLS": kafka.WithTLS(tlsconf.System()), "topic": kafka.WithTopic("a/{b}", "a/b"), "answers": kafka.WithReplyTopic(""),
		"message": kafka.WithMaxMessage(1), "buffer": kafka.WithMaxBuffered(1), "mechanism": kafka.WithCredentials("GSSAPI", auth.Static("x")),
	} {
		if _, err := kafka.New("kafka://localhost", o); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
}

func TestTLS(t *testing.T) {
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	server, err := ca.Mutual("server")
	if err != nil {
		t.Fatal(err)
	}
	url := start(t, kafkaembed.Options{TLS: server}).URL()
	ours, err := ca.Issue("client")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := stranger.Issue("client")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		config *tlsconf.Config
		want   string // "": it works
	}{
		"mutual":                  {tlsconf.MutualPEM(ours.Cert, ours.Key, ours.CA), ""},
		"we trust somebody else":  {tlsconf.MutualPEM(ours.Cert, ours.Key, theirs.CA), "issued by an unknown authority; give that authority to tlsconf"},
		"no client certificate":   {tlsconf.RootsPEM(ours.CA), "tlsconf.Mutual"},
		"certificate of stranger": {tlsconf.MutualPEM(theirs.Cert, theirs.Key, ours.CA), "does it trust the authority that issued our certificate"},
	} {
		err := publish(t, open(t, url, kafka.WithTLS(c.config)), &broker.Message{Address: "secret", Body: []byte("x")})
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), url) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestSASL(t *testing.T) {
	s := start(t, kafkaembed.Options{Users: []kafkaembed.User{
		{Mechanism: "PLAIN", Name: "p", Password: "right"}, {Mechanism: "SCRAM-SHA-256", Name: "s2", Password: "right"}, {Mechanism: "SCRAM-SHA-512", Name: "s5", Password: "right"},
	}})
	at := func(user string) string { return strings.Replace(s.URL(), "kafka://", "kafka://"+user+"@", 1) }
	for what, k := range map[string]struct {
		b    *kafka.Broker
		want string // "": it works
	}{
		"plain, named":       {open(t, at("p:right")+"?sasl_mechanism=PLAIN"), ""},
		"256":                {open(t, at("s2:right")+"?sasl_mechanism=SCRAM-SHA-256"), ""},
		"512, unnamed":       {open(t, at("s5:right")), ""},
		"by a source":        {open(t, s.URL(), kafka.WithCredentials("SCRAM-SHA-512", auth.Password("s5", "right"))), ""},
		"wrong password":     {open(t, at("s5:secret")), "check the user and the password"},
		"unknown mechanism":  {open(t, s.URL(), kafka.WithCredentials("OAUTHBEARER", auth.Static("secret"))), "none of our mechanisms"},
		"nothing":            {open(t, s.URL()), "SASL"},
		"source has nothing": {open(t, s.URL(), kafka.WithCredentials("PLAIN", auth.Env("CONCORDAT_NO_SUCH"))), "CONCORDAT_NO_SUCH is empty"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := k.b.Publish(ctx, &broker.Message{Address: "x", Body: []byte("x")})
		cancel()
		if k.want == "" {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), k.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestErrorsNameServerAndRemedy(t *testing.T) {
	s := start(t, kafkaembed.Options{Brokers: 1})
	set := func(name, value string) []broker.Setting {
		return []broker.Setting{{Protocol: "kafka", Name: name, Value: value}}
	}
	for what, k := range map[string]struct {
		b    *kafka.Broker
		m    broker.Message
		want string
	}{
		"unknown topic": {open(t, s.URL(), kafka.WithoutDeclare()), broker.Message{Address: "not/there"}, "topic not.there"},
		"what to do":    {open(t, s.URL(), kafka.WithoutDeclare()), broker.Message{Address: "not/there"}, "create it, or let us"},
		"too large":     {open(t, s.URL()), broker.Message{Address: "big", Body: make([]byte, 2_000_000)}, "kafka.WithMaxMessage"},
		"no topic":      {open(t, s.URL()), broker.Message{Address: "a b"}, "cannot be a topic"},
		"no address":    {open(t, s.URL()), broker.Message{}, "cannot be a topic"},
		"too long":      {open(t, s.URL()), broker.Message{Address: strings.Repeat("x/", 200)}, "249 of them at most"},
		"partitions":    {open(t, s.URL()), broker.Message{Address: "p", Settings: set("partitions", "many")}, "kafka: the contract's setting partitions"},
		"replicas":      {open(t, s.URL()), broker.Message{Address: "r", Settings: set("replicas", "9")}, "topic r on " + s.URL()},
	} {
		if err := publish(t, k.b, &k.m); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	err := open(t, s.URL(), kafka.WithoutDeclare()).Subscribe(t.Context(), broker.Subscription{Address: "not/there", Group: "g"}, nil)
	if err == nil || !strings.Contains(err.Error(), "not.there") {
		t.Errorf("a subscription to nothing: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err = open(t, "kafka://127.0.0.1:1").Publish(short, &broker.Message{Address: "x"})
	if err == nil || !strings.Contains(err.Error(), "kafka://127.0.0.1:1") || !strings.Contains(err.Error(), "is the server running") {
		t.Errorf("server down: %v", err)
	}
}

// A topic is made as the contract's binding says.
func TestTopicOfTheContract(t *testing.T) {
	s := start(t, kafkaembed.Options{})
	b := open(t, s.URL())
	all := []broker.Setting{
		{Protocol: "kafka", Name: "topic", Value: "activity.v1"}, {Protocol: "kafka", Name: "partitions", Value: "5"}, {Protocol: "kafka", Name: "replicas", Value: "1"},
		{Protocol: "kafka", Name: "topicConfiguration.cleanup.policy", Value: `["compact","delete"]`}, {Protocol: "kafka", Name: "topicConfiguration.retention.ms", Value: "1000000"},
	}
	got := make(chan *broker.Message, 8)
	subscribe(t, b, broker.Subscription{Address: "customers/{id}/activity", Group: "g", Settings: all}, func(_ context.Context, m *broker.Message) error { got <- m; return nil })
	if err := publish(t, b, &broker.Message{Address: "customers/42/activity", Key: "42", Settings: all}); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, got); m.Address != "customers/42/activity" {
		t.Errorf("%+v", m)
	}
	info := s.Cluster().PartitionInfos("activity.v1")
	if len(info) != 5 {
		t.Fatalf("%+v", info)
	}
	req := kmsg.NewPtrDescribeConfigsRequest()
	one := kmsg.NewDescribeConfigsRequestResource()
	one.ResourceType, one.ResourceName = kmsg.ConfigResourceTypeTopic, "activity.v1"
	req.Resources = append(req.Resources, one)
	resp, err := req.RequestWith(t.Context(), plain(t, s.URL()))
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, c := range resp.Resources[0].Configs {
		if c.Value != nil {
			have[c.Name] = *c.Value
		}
	}
	if have["cleanup.policy"] != "compact,delete" || have["retention.ms"] != "1000000" {
		t.Errorf("%v", have)
	}
}

// Other clients' records are received, and ours read by them; keys choose partitions as
// Java's clients have it.
func TestOtherClients(t *testing.T) {
	s := start(t, kafkaembed.Options{Partitions: 3})
	b := open(t, s.URL())
	got := make(chan *broker.Message, 8)
	subscribe(t, b, broker.Subscription{Address: "orders", Group: "g"}, func(_ context.Context, m *broker.Message) error { got <- m; return nil })
	c := plain(t, s.URL(), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
	r := &kgo.Record{Topic: "orders", Key: []byte("21"), Value: []byte("theirs"), Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("t")}}}
	if err := c.ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, got); string(m.Body) != "theirs" || m.Key != "21" || m.Address != "orders" || m.Headers["trace"] != "t" || m.ID == "" || m.Time.IsZero() {
		t.Errorf("%+v", m)
	}
	if err := publish(t, b, &broker.Message{Address: "orders", Key: "21", Media: "text/plain", Body: []byte("ours")}); err != nil {
		t.Fatal(err)
	}
	for {
		f := c.PollRecords(t.Context(), 1)
		if len(f.Records()) == 0 {
			continue
		}
		ours := f.Records()[0]
		if string(ours.Value) == "theirs" {
			continue
		}
		if ours.Partition != r.Partition || string(ours.Key) != "21" || ours.Headers[0].Key != "content-type" {
			t.Errorf("%+v; theirs is in partition %d", ours, r.Partition)
		}
		return
	}
}

// Members come and go while messages flow: none is lost, and the order of each key holds
// within the group, whoever handles it.
func TestRebalance(t *testing.T) {
	s := start(t, kafkaembed.Options{Partitions: 6})
	b := open(t, s.URL())
	const keys, each = 12, 60
	var mu sync.Mutex
	seen, twice, disorder := map[string]int{}, 0, 0
	all := make(chan struct{})
	h := func(_ context.Context, m *broker.Message) error {
		n, err := strconv.Atoi(string(m.Body))
		if err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		switch newest, ok := seen[m.Key]; {
		case ok && n <= newest:
			twice++
		case n != newest+1 && n != 0:
			disorder++
		default:
			seen[m.Key] = n
		}
		total := 0
		for n := range maps.Values(seen) {
			total += n + 1
		}
		if total == keys*each && twice >= 0 {
			select {
			case <-all:
			default:
				close(all)
			}
		}
		return nil
	}
	sub := broker.Subscription{Address: "re/balance", Group: "g", Concurrency: 4}
	stop := subscribe(t, b, sub, h)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range each {
			for k := range keys {
				if err := publish(t, b, &broker.Message{Address: "re/balance", Key: "k" + strconv.Itoa(k), Body: []byte(strconv.Itoa(i))}); err != nil {
					t.Error(err)
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	for range 4 {
		next := subscribe(t, open(t, s.URL()), sub, h)
		time.Sleep(50 * time.Millisecond)
		if err := stop(); err != nil {
			t.Error(err)
		}
		stop = next
	}
	wg.Wait()
	receive(t, all)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if disorder > 0 || twice > 0 {
		t.Errorf("%d out of order, %d came twice although every member said goodbye", disorder, twice)
	}
}

// Messages that are put off come when they are due, to the group that put them off alone.
func TestDelay(t *testing.T) {
	s := start(t, kafkaembed.Options{})
	b := open(t, s.URL())
	got, other := make(chan *broker.Message, 8), make(chan *broker.Message, 8)
	subscribe(t, b, broker.Subscription{Address: "later/{id}", Group: "other"}, func(_ context.Context, m *broker.Message) error { other <- m; return nil })
	sub := broker.Subscription{Address: "later/{id}", Group: "g"}
	up := make(chan struct{})
	sub.Ready = func() { close(up) }
	first := true
	go func() {
		_ = broker.Consume(t.Context(), b, sub, broker.Policy{Attempts: 1, Delays: []time.Duration{time.Second}}, func(_ context.Context, m *broker.Message) error {
			if first {
				first = false
				return errors.New("not now")
			}
			got <- m
			return nil
		})
	}()
	<-up
	began := time.Now()
	if err := publish(t, b, &broker.Message{Address: "later/1", Key: "k", Media: "text/plain", Headers: map[string]string{"a": "b"}, Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	m := receive(t, got)
	if string(m.Body) != "x" || m.Key != "k" || m.Headers["a"] != "b" || m.Address != "later/1" || m.Headers[broker.HeaderDelays] != "1" || time.Since(began) < time.Second {
		t.Errorf("%+v after %v", m, time.Since(began))
	}
	receive(t, other)
	select {
	case m := <-other:
		t.Errorf("another group got %+v", m)
	default:
	}
}

// What a handler publishes and what it handled take effect together: a failure undoes both.
func TestExactlyOnce(t *testing.T) {
	s := start(t, kafkaembed.Options{Partitions: 2})
	in := open(t, s.URL())
	b := open(t, s.URL(), kafka.WithExactlyOnce("copier"))
	const n = 40
	out := make(chan string, 4*n)
	subscribe(t, in, broker.Subscription{Address: "copies", Group: "reader"}, func(_ context.Context, m *broker.Message) error { out <- string(m.Body); return nil })
	var failed sync.Map
	stop := subscribe(t, b, broker.Subscription{Address: "originals", Group: "copier", Concurrency: 4}, func(ctx context.Context, m *broker.Message) error {
		if err := b.Publish(ctx, &broker.Message{Address: "copies", Key: m.Key, Body: m.Body}); err != nil {
			return err
		}
		if _, again := failed.LoadOrStore(string(m.Body), true); !again && len(m.Body) == 1 {
			return errors.New("after the copy was sent")
		}
		return nil
	})
	for i := range n {
		if err := publish(t, in, &broker.Message{Address: "originals", Key: strconv.Itoa(i % 5), Body: []byte(strconv.Itoa(i))}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for len(seen) < n {
		seen[receive(t, out)]++
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	for body, times := range seen {
		if times != 1 {
			t.Errorf("%s was copied %d times", body, times)
		}
	}
	select {
	case m := <-out:
		t.Errorf("%s was copied again", m)
	default:
	}
}

// A topic that somebody deletes is made again, and goes on being received.
func TestTopicIsDeleted(t *testing.T) {
	s := start(t, kafkaembed.Options{})
	b := open(t, s.URL())
	got := make(chan string, 64)
	subscribe(t, b, broker.Subscription{Address: "gone", Group: "g"}, func(_ context.Context, m *broker.Message) error { got <- string(m.Body); return nil })
	if err := publish(t, b, &broker.Message{Address: "gone", Body: []byte("before")}); err != nil {
		t.Fatal(err)
	}
	receive(t, got)
	req := kmsg.NewPtrDeleteTopicsRequest()
	one := kmsg.NewDeleteTopicsRequestTopic()
	one.Topic = new("gone")
	req.Topics, req.TopicNames = append(req.Topics, one), []string{"gone"}
	if _, err := req.RequestWith(t.Context(), plain(t, s.URL())); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := publish(t, b, &broker.Message{Address: "gone", Body: []byte(fmt.Sprint("after ", i))}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if m := receive(t, got); m != fmt.Sprint("after ", i) {
			t.Errorf("%s came", m)
		}
	}
}

// A user without the right to a topic or a group is told which ACL is missing.
func TestACL(t *testing.T) {
	s := start(t, kafkaembed.Options{Users: []kafkaembed.User{{Mechanism: "SCRAM-SHA-256", Name: "admin", Password: "right"}}, More: []kfake.Opt{
		kfake.EnableACLs(), kfake.User("SCRAM-SHA-256", "nobody", "right"),
	}})
	b := open(t, strings.Replace(s.URL(), "kafka://", "kafka://nobody:right@", 1)+"?sasl_mechanism=SCRAM-SHA-256")
	if err := publish(t, b, &broker.Message{Address: "x"}); err == nil || !strings.Contains(err.Error(), "ACL") {
		t.Errorf("publish: %v", err)
	}
	if err := b.Subscribe(t.Context(), broker.Subscription{Address: "x", Group: "g"}, nil); err == nil || !strings.Contains(err.Error(), "ACL") {
		t.Errorf("subscribe: %v", err)
	}
}
