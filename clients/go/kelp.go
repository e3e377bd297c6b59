// Package kelp is the client of KelpDB, a durable, watchable key-value store.
//
//	client, err := kelp.Open(kelp.Options{Addresses: []string{"127.0.0.1:7379"}})
//	...
//	defer client.Close()
//	revision, err := client.Put(ctx, "greeting", []byte("hello"))
//
// Keys are strings, of any bytes: one that is no UTF-8 is the key of these bytes. Each call ends by the deadline of its context, else by
// that of the options, which its retries count towards. Clients may be used by many goroutines at the same time.
package kelp

import (
	"context"
	"crypto/tls"
	"math/rand"
	"net"
	"strings"
	"sync"
	"time"
)

// Options of a client.
type Options struct {
	// Addresses of servers that have the same store, `host:port` (port 7379 where it is left out), up to 16. Calls go to one of them,
	// and to the next when that one can't be reached, starts, stops, or does not know the writer of its cluster.
	Addresses []string
	// TLS, if the servers have it; nil: plain text. &tls.Config{} trusts what the system trusts.
	TLS *tls.Config
	// Credentials, by Password, Token or CredentialsFunc; nil: none are shown.
	Credentials *Credentials
	// AllowPlaintextCredentials lets credentials go to another machine without TLS, where everyone on the way can read them.
	AllowPlaintextCredentials bool
	// Deadline of calls whose context has none; 0: ten seconds.
	Deadline time.Duration
	// Retries is how often a call that is safe to repeat is tried again at most, behind a pause; 0: as often as the deadline allows;
	// negative: never.
	Retries int
}

// Client of one store.
type Client struct {
	options       Options
	servers       *servers
	authorization *authorization
	closed        context.Context
	close         context.CancelFunc
	chance        sync.Mutex
	source        *rand.Rand
}

// Open makes a client. It connects with the first call.
func Open(options Options) (*Client, error) {
	if len(options.Addresses) == 0 || len(options.Addresses) > addressesMax {
		return nil, invalid("Addresses holds %d; give 1 to %d", len(options.Addresses), addressesMax)
	}
	if options.Deadline <= 0 {
		options.Deadline = deadlineDefault
	}
	c := &Client{options: options, source: rand.New(rand.NewSource(time.Now().UnixNano()))}
	c.authorization = newAuthorization(options.Credentials)
	c.closed, c.close = context.WithCancel(context.Background())
	c.servers = &servers{random: c.random}
	for _, given := range options.Addresses {
		address, err := c.addressOf(given)
		if err == nil {
			var made *server
			if made, err = dial(address, options.TLS, len(options.Addresses) > 1); err == nil {
				c.servers.all = append(c.servers.all, made)
				continue
			}
		}
		c.Close()
		return nil, err
	}
	c.servers.current = int(c.random() * float64(len(c.servers.all)))
	return c, nil
}

// Close breaks off what is under way; calls made later fail with Closed.
func (c *Client) Close() {
	c.close()
	for _, each := range c.servers.all {
		_ = each.conn.Close()
	}
}

func (c *Client) random() float64 {
	c.chance.Lock()
	defer c.chance.Unlock()
	return c.source.Float64()
}

func (c *Client) addressOf(given string) (string, error) {
	if strings.Contains(given, "/") {
		return "", invalid("the address %q: give host:port, and TLS in the options", given)
	}
	host, port, err := net.SplitHostPort(given)
	if err != nil {
		host, port = strings.Trim(given, "[]"), "7379"
	}
	if host == "" {
		host = "127.0.0.1"
	}
	ip := net.ParseIP(host)
	isLocal := host == "localhost" || ip != nil && ip.IsLoopback()
	if c.options.Credentials != nil && c.options.TLS == nil && !isLocal && !c.options.AllowPlaintextCredentials {
		return "", invalid("credentials would go to %s in plain text; give TLS, or AllowPlaintextCredentials", host)
	}
	return net.JoinHostPort(host, port), nil
}

// wait pauses, until the context ends or the client is closed at the latest.
func (c *Client) wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-c.closed.Done():
	}
}
