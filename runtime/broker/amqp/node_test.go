//go:build unix

package amqp_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/concordat-dev/concordat/runtime/broker"
)

// asker is a program in JavaScript: it publishes to amq.topic, asks a queue, and prints the
// answer and what comes back by the topic.
const asker = `
const amqp = require('amqplib');
(async () => {
	const [url, at] = process.argv.slice(1);
	const conn = await amqp.connect(url);
	const ch = await conn.createConfirmChannel();
	const mine = await ch.assertQueue('', {exclusive: true});
	await ch.bindQueue(mine.queue, 'amq.topic', at + '.*.answer');
	let left = 2;
	const done = async () => { if (--left === 0) { await conn.close(); } };
	await ch.consume(mine.queue, m => {
		const p = m.properties;
		console.log([p.correlationId || m.fields.routingKey, m.content.toString(), p.contentType, (p.headers || {})['concordat-key'] || ''].join(' '));
		done();
	}, {noAck: true});
	ch.publish('amq.topic', at + '.7.question', Buffer.from('by topic'), {mandatory: true, contentType: 'text/plain', headers: {n: 5}});
	ch.sendToQueue(at, Buffer.from('by queue'), {correlationId: 'c1', replyTo: mine.queue, contentType: 'text/plain', messageId: 'id-1'});
	await ch.waitForConfirms();
})().catch(e => { console.error(e); process.exit(1); });
`

// A program on Node with amqplib exchanges messages with us, by topic and as a request.
func TestNode(t *testing.T) {
	url := shared.URL(t)
	if err := exec.Command("node", "-e", "require('amqplib')").Run(); err != nil {
		t.Skip("needs Node with amqplib: npm install amqplib, and name its node_modules in NODE_PATH")
	}
	b, at := open(t, url), unique("node")
	subscribe(t, b, broker.Subscription{Address: at + "/{id}/question", Group: "g"}, func(ctx context.Context, m *broker.Message) error {
		to := strings.Replace(m.Address, "question", "answer", 1)
		return b.Publish(ctx, &broker.Message{Address: to, Key: "k" + m.Headers["n"], Media: m.Media, Body: append([]byte("heard "), m.Body...)})
	})
	subscribe(t, b, broker.Subscription{Address: at, Group: "g", Settings: set("is", "queue")}, func(ctx context.Context, m *broker.Message) error {
		return b.Publish(ctx, &broker.Message{Address: m.ReplyTo, CorrelationID: m.CorrelationID, Media: m.Media, Body: append([]byte(m.ID+" heard "), m.Body...)})
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", "-e", asker, url, at).CombinedOutput()
	for _, want := range []string{at + ".7.answer heard by topic text/plain k5", "c1 id-1 heard by queue text/plain"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %q is not in %s", err, want, out)
		}
	}
}
