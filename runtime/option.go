package runtime

import (
	"log/slog"
	"net"
	"time"

	"github.com/concordat-dev/concordat/runtime/auth"
	"github.com/concordat-dev/concordat/runtime/broker"
	"github.com/concordat-dev/concordat/runtime/discovery"
	"github.com/concordat-dev/concordat/runtime/policy/balance"
	"github.com/concordat-dev/concordat/runtime/policy/stats"
	"github.com/concordat-dev/concordat/runtime/tlsconf"
)

// The defaults that options change.
const (
	DefaultTimeout = 10 * time.Second
	DefaultRetries = 2
	DefaultDrain   = 10 * time.Second
	DefaultMaxBody = 8 << 20 // bytes
)

type (
	// A ConnOption configures a Conn.
	ConnOption interface{ conn(*Conn) }
	// A ServerOption configures a Server.
	ServerOption interface{ server(*Server) }
	// An Option suits both.
	Option interface {
		ConnOption
		ServerOption
	}
)

// common is what both sides have.
type common struct {
	tls       *tlsconf.Config
	plaintext bool
	chain     []Interceptor
	broker    broker.Broker
	timeout   time.Duration
	maxBody   int64
	log       *slog.Logger
	epoch     time.Time // policies and statistics are told the time since then
	stats     stats.Table
	guards    *guards // nil: none
	rules     governing

	anonymous   bool // WithoutAuthentication
	rpcSecurity auth.Requirements

	settings map[any]any // of packages that call or serve operations their own way
}

func (k *common) defaults() {
	k.timeout, k.maxBody, k.log, k.epoch = DefaultTimeout, DefaultMaxBody, slog.Default(), time.Now()
}

// now is the time since epoch; asking that is cheaper than asking for the time.
func (k *common) now() time.Duration { return time.Since(k.epoch) }

// MaxBody returns how many bytes a body may have. Stubs ask.
func (k *common) MaxBody() int64 { return k.maxBody }

// Broker returns the broker given, or nil. Stubs ask.
func (k *common) Broker() broker.Broker { return k.broker }

// Logger returns where the runtime reports what no caller sees.
func (k *common) Logger() *slog.Logger { return k.log }

// Stats returns what is known of every operation called so far, ordered by name.
func (k *common) Stats() []stats.Operation { return k.stats.Snapshot() }

type both func(*common)

func (f both) conn(c *Conn)     { f(&c.common) }
func (f both) server(s *Server) { f(&s.common) }

type connOption func(*Conn)

func (f connOption) conn(c *Conn) { f(c) }

type serverOption func(*Server)

func (f serverOption) server(s *Server) { f(s) }

// WithTLS says who we are and whom we trust. A connection without it trusts whom the
// system trusts; a server needs it, or [WithPlaintext].
func WithTLS(c *tlsconf.Config) Option { return both(func(k *common) { k.tls = c }) }

// WithPlaintext gives up encryption and authentication: for a loopback, or behind a
// proxy that does both.
func WithPlaintext() Option { return both(func(k *common) { k.plaintext = true }) }

// WithInterceptors adds interceptors, the first outermost. Given twice, the later ones
// are the inner ones.
func WithInterceptors(i ...Interceptor) Option {
	return both(func(k *common) { k.chain = append(k.chain, i...) })
}

// WithBroker is how a server subscribes and answers, and how a connection publishes.
// The caller closes the broker when all that use it are done.
func WithBroker(b broker.Broker) Option { return both(func(k *common) { k.broker = b }) }

// WithTimeout sets the deadline of calls that have none: DefaultTimeout, unless said. 0
// lets them take as long as they do. On a server it bounds calls whose client named no deadline. Streams have no deadline
// but their caller's.
func WithTimeout(d time.Duration) Option { return both(func(k *common) { k.timeout = d }) }

// WithMaxBody sets how many bytes one request or reply may have: DefaultMaxBody, unless
// said. Streams count each message.
func WithMaxBody(n int64) Option { return both(func(k *common) { k.maxBody = n }) }

// WithLogger says where to report what no caller sees: slog.Default, unless said.
func WithLogger(l *slog.Logger) Option { return both(func(k *common) { k.log = l }) }

// WithRetries sets how many times a call may be repeated: DefaultRetries, unless said.
// 0 turns retries off.
func WithRetries(n int) ConnOption { return connOption(func(c *Conn) { c.retries = max(n, 0) }) }

// WithResolver resolves targets of the scheme by r.
func WithResolver(scheme string, r discovery.Resolver) ConnOption {
	return connOption(func(c *Conn) {
		if c.resolvers == nil {
			c.resolvers = map[string]discovery.Resolver{}
		}
		c.resolvers[scheme] = r
	})
}

// WithResponseValidation holds replies against the contract's rules, too; unless said,
// a client accepts a reply that has the right shape, so that a server may loosen a rule.
func WithResponseValidation() ConnOption {
	return connOption(func(c *Conn) { c.validate = true })
}

// WithAddr says where to listen: "127.0.0.1:0", unless said.
func WithAddr(addr string) ServerOption { return serverOption(func(s *Server) { s.listen = addr }) }

// WithListener listens on l, which the server closes.
func WithListener(l net.Listener) ServerOption { return serverOption(func(s *Server) { s.ln = l }) }

// WithDrain sets how long calls and messages in flight may take to finish once Run's
// context is done: DefaultDrain, unless said. Streams that are still open after half of it
// end then, with [ErrDraining], so that their clients open them again elsewhere.
func WithDrain(d time.Duration) ServerOption { return serverOption(func(s *Server) { s.drain = d }) }

// WithGroup names the program whose instances share messages: each message that an
// operation consumes is handled by one of all servers with this group. Programs that
// consume the same contract for different ends need different names, or each would get
// only some of the messages. The group of an operation is "name.Operation", so that the
// operations of one program do not share either.
//
// It overrides what the contract says (NATS's queue, for one), which cannot know all its
// consumers. Without either, the group is the operation's name, which suits contracts
// with one consuming program. Another name is another place in the stream: a broker that
// keeps messages begins with the oldest.
func WithGroup(name string) ServerOption { return serverOption(func(s *Server) { s.group = name }) }

// WithAdmin serves GET /healthz, /readyz and /metrics (Prometheus text, of the server
// and of the connections given) in plain HTTP, and GET and PUT /policies, which shows and
// changes how calls are treated (see [Policies]). addr must be of the loopback interface.
func WithAdmin(addr string, conns ...*Conn) ServerOption {
	return serverOption(func(s *Server) { s.admin, s.watched = addr, conns })
}

// WithBalancing says how endpoints are drawn, and when they are ejected:
// [balance.Default], unless said.
func WithBalancing(config balance.Config) ConnOption {
	return connOption(func(c *Conn) { c.balance = config })
}

// WithProbe says by which path an ejected endpoint is asked whether it is well again: it
// must answer GET by 2xx. Unless said, it is asked by OPTIONS *, and any answer but 502 to
// 504 will do.
func WithProbe(path string) ConnOption { return connOption(func(c *Conn) { c.probePath = path }) }

// WithResolvers is WithResolver for several schemes.
func WithResolvers(by map[string]discovery.Resolver) ConnOption {
	return connOption(func(c *Conn) {
		for scheme, r := range by {
			WithResolver(scheme, r).conn(c)
		}
	})
}
