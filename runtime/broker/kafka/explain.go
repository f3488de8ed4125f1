package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// explain says which cluster an error is about, and what would help.
func (b *Broker) explain(doing string, err error) error {
	if errors.Is(err, kgo.ErrClientClosed) && b.life.Err() != nil {
		return fmt.Errorf("kafka: %w", b.life.Err())
	}
	if late := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled); late {
		if why := b.last.get(); why != nil && !errors.Is(err, why) {
			err = fmt.Errorf("%w (%w)", why, err)
		}
	}
	help := b.remedy(err)
	if help != "" {
		help = "; " + help
	}
	return fmt.Errorf("kafka: cannot %s %s: %w%s", doing, b.target, err, help)
}

func (b *Broker) remedy(err error) string {
	if why := tlsconf.Explain(err); why != "" {
		return why
	}
	if r, ok := errors.AsType[*kerr.Error](err); ok {
		return remedies[r.Code]
	}
	var early *kgo.ErrFirstReadEOF
	var network *net.OpError
	switch {
	case errors.Is(err, io.EOF) && b.credentials != nil:
		return "the server hung up while we logged in: check the user and the password, and the mechanism; does it expect TLS?"
	case errors.As(err, &early):
		return "the server hung up at our first word: does it expect TLS, or a client certificate (tlsconf.Mutual), or SASL (kafka.WithCredentials)?"
	case errors.As(err, &network), errors.Is(err, context.DeadlineExceeded):
		return "is the server running, and does it expect the TLS that was asked for?"
	}
	return ""
}

// remedies are for the errors that servers spell (Kafka protocol guide, error codes).
var remedies = map[int16]string{
	kerr.SaslAuthenticationFailed.Code:           "check the user and the password, or the token",
	kerr.UnsupportedSaslMechanism.Code:           "the server offers none of our mechanisms: name another by ?sasl_mechanism=… or kafka.WithCredentials; PLAIN is offered over TLS only unless named",
	kerr.IllegalSaslState.Code:                   "the server wants SASL: give a user in the target, or kafka.WithCredentials",
	kerr.UnknownTopicOrPartition.Code:            "the topic is not there: create it, or let us, without kafka.WithoutDeclare",
	kerr.TopicAuthorizationFailed.Code:           "the user may not do this with the topic: an ACL for it is missing (kafka-acls --add --allow-principal User:…)",
	kerr.GroupAuthorizationFailed.Code:           "the user may not join the group: an ACL for it is missing (kafka-acls --add --group …)",
	kerr.ClusterAuthorizationFailed.Code:         "the user may not do this to the cluster: an ACL is missing, or create the topic yourself and give kafka.WithoutDeclare",
	kerr.TransactionalIDAuthorizationFailed.Code: "the user may not use the transactional id of kafka.WithExactlyOnce: an ACL for it is missing",
	kerr.MessageTooLarge.Code:                    "raise kafka.WithMaxMessage and the topic's max.message.bytes, or send less",
	kerr.RecordListTooLarge.Code:                 "raise the topic's segment.bytes, or send less",
	kerr.InvalidReplicationFactor.Code:           "the contract's setting kafka.replicas asks for more brokers than the cluster has",
	kerr.InvalidPartitions.Code:                  "the contract's setting kafka.partitions is a number of 1 or more",
	kerr.InvalidConfig.Code:                      "the cluster refuses the contract's kafka.topicConfiguration",
	kerr.InvalidTopicException.Code:              "topics hold letters, digits, dots, _ and -, 249 at most",
	kerr.PolicyViolation.Code:                    "the cluster's policy forbids this topic: create it yourself and give kafka.WithoutDeclare",
	kerr.NotEnoughReplicas.Code:                  "fewer replicas are in sync than min.insync.replicas asks for: are all servers running?",
	kerr.InvalidProducerEpoch.Code:               "another program uses the same id of kafka.WithExactlyOnce",
	kerr.ProducerFenced.Code:                     "another program uses the same id of kafka.WithExactlyOnce",
}

// denied says whether the refusal, the cluster's or ours, will not change by itself.
func denied(err error) bool {
	if tlsconf.Explain(err) != "" {
		return true
	}
	if early, ok := errors.AsType[*kgo.ErrFirstReadEOF](err); ok && early != nil {
		return true
	}
	r, ok := errors.AsType[*kerr.Error](err)
	return ok && !r.Retriable
}
