package amqp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// explain says which server an error is about, and what would help.
func explain(doing string, s *server, err error) error {
	help := remedy(s, err)
	if help != "" {
		help = "; " + help
	}
	return fmt.Errorf("amqp: cannot %s %s: %w%s", doing, s, err, help)
}

func (b *Broker) explain(doing string, err error) error { return explain(doing, b.servers[0], err) }

func remedy(s *server, err error) string {
	if why := tlsconf.Explain(err); why != "" {
		return why
	}
	var network *net.OpError
	var e *amqp091.Error
	switch {
	case errors.Is(err, amqp091.ErrSASL):
		return "the server offers none of our mechanisms: give amqp.WithMechanism, or for EXTERNAL enable rabbitmq_auth_mechanism_ssl there"
	case errors.As(err, &network), errors.Is(err, context.DeadlineExceeded):
		return "is the server running, and does it expect the TLS that was asked for?"
	case errors.As(err, &e):
		return replyRemedy(s, e)
	}
	return ""
}

// replyRemedy is for errors that the server spelled (AMQP 0-9-1, 1.2: reply codes).
func replyRemedy(s *server, e *amqp091.Error) string {
	switch e.Code {
	case amqp091.AccessRefused:
		if s.user == "" {
			return "the target names no user, and guest is let in from the server's own machine only: write amqps://user:password@…"
		}
		if strings.Contains(e.Reason, "access to") {
			return fmt.Sprintf("the user %q lacks a permission there: rabbitmqctl set_permissions", s.user)
		}
		return fmt.Sprintf("check the password of %q", s.user)
	case amqp091.NotAllowed:
		return fmt.Sprintf("does the virtual host %q exist, and may the user enter it?", s.vhost)
	case amqp091.NotFound:
		return "declare it there, or let us: without amqp.WithoutDeclare"
	case amqp091.PreconditionFailed:
		return "it was declared there with other properties than the contract's: make them the same (settings exchange.…, queue.…, amqp.WithQueueType), delete it there, or leave declaring to the server's administrators with amqp.WithoutDeclare"
	case amqp091.ResourceLocked:
		return "another connection has it for itself: give the queue another name, or do not make it exclusive"
	case amqp091.FrameError, amqp091.UnexpectedFrame, amqp091.SyntaxError:
		return "does an AMQP 0-9-1 server listen there, and does it expect the TLS that was asked for?"
	}
	return ""
}

// forGood says of an error while subscribing that it will not change by itself.
func forGood(err error) bool {
	var e *amqp091.Error
	if !errors.As(err, &e) || !e.Server {
		return false
	}
	switch e.Code {
	case amqp091.AccessRefused, amqp091.NotFound, amqp091.PreconditionFailed, amqp091.NotAllowed, amqp091.NotImplemented, amqp091.CommandInvalid:
		return true
	}
	return false
}
