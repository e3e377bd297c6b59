package kelp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"
)

// servers are those that the client may go to. All calls go to one of them, the current one, for as long as it serves. When it can't be
// reached, recovers or stops, it rests, and the next one in turn is the current one from then on. While all rest nothing is sent.
type servers struct {
	mutex   sync.Mutex
	all     []*server
	current int
	random  func() float64
}

type server struct {
	address    string
	conn       *grpc.ClientConn
	handshake  *handshake
	failure    *Error
	failures   int
	generation int
	restsUntil time.Time
}

func dial(address string, config *tls.Config, isOfSeveral bool) (*server, error) {
	shake := &handshake{}
	security := grpc.WithInsecure()
	if config != nil {
		shake.TransportCredentials = credentials.NewTLS(config)
		security = grpc.WithTransportCredentials(shake)
	}
	within := connectTime
	if isOfSeveral {
		within = connectTimeSecond
	}
	conn, err := grpc.Dial(address, security,
		grpc.WithDisableServiceConfig(),
		grpc.WithStatsHandler(sentNotes{}),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: backoffFirst, Multiplier: 1.6, Jitter: 0.2, MaxDelay: restMax},
			MinConnectTimeout: within,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingTime, Timeout: pingTimeout}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax), grpc.MaxCallSendMsgSize(messageBytesMax)))
	if err != nil {
		return nil, invalid("the address %s: %v", address, err)
	}
	return &server{address: address, conn: conn, handshake: shake}, nil
}

// wake lets a connection that has failed be made anew now: the pauses are the client's.
func (s *server) wake(ctx context.Context) {
	if s.conn.GetState() == connectivity.TransientFailure {
		s.conn.ResetConnectBackoff()
		ctx, cancel := context.WithTimeout(ctx, lastTry)
		defer cancel()
		s.conn.WaitForStateChange(ctx, connectivity.TransientFailure)
	}
}

// handshake notes how the last one ended: what can't pass by itself is told at once.
type handshake struct {
	credentials.TransportCredentials
	mutex sync.Mutex
	last  error
}

func (h *handshake) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, raw)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.last = err
	return conn, info, err
}

func (h *handshake) Clone() credentials.TransportCredentials { return h }

func (h *handshake) isMisconfigured() bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var certificate x509.CertificateInvalidError
	var record tls.RecordHeaderError
	return errors.As(h.last, &authority) || errors.As(h.last, &host) || errors.As(h.last, &certificate) ||
		errors.As(h.last, &record) || h.last != nil && strings.HasPrefix(h.last.Error(), "remote error: tls: ")
}

// sentNotes notes for each try whether anything of it was sent: what was not has surely changed nothing. A stream that the server refused
// unseen is made anew by gRPC itself.
type sentNotes struct{}

type sentKey struct{}

type sent struct {
	mutex sync.Mutex
	is    bool
}

func (s *sent) get() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.is
}

func (sentNotes) HandleRPC(ctx context.Context, told stats.RPCStats) {
	note, isNoted := ctx.Value(sentKey{}).(*sent)
	if _, isHeader := told.(*stats.OutHeader); isHeader && isNoted {
		note.mutex.Lock()
		note.is = true
		note.mutex.Unlock()
	}
}
func (sentNotes) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (sentNotes) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (sentNotes) HandleConn(context.Context, stats.ConnStats)                       {}

// route is the way of one call, or of one stream that goes on: each server is tried once, then there is a pause.
type route struct {
	servers *servers
	tried   map[*server]bool
	failed  bool
	writer  *server
}

func (p *servers) newRoute() *route { return &route{servers: p, tried: map[*server]bool{}} }

func (p *servers) next(without map[*server]bool) *server {
	for step := range p.all {
		each := p.all[(p.current+step)%len(p.all)]
		if !without[each] && time.Until(each.restsUntil) <= 0 {
			return each
		}
	}
	return nil
}

func (p *servers) first() *server {
	first := p.all[0]
	for _, each := range p.all {
		if each.restsUntil.Before(first.restsUntil) {
			first = each
		}
	}
	return first
}

func (r *route) goesElsewhere() bool {
	r.servers.mutex.Lock()
	defer r.servers.mutex.Unlock()
	return len(r.servers.all) > 1 && r.servers.next(r.tried) != nil
}

func (r *route) rest() time.Duration {
	r.servers.mutex.Lock()
	defer r.servers.mutex.Unlock()
	return time.Until(r.servers.first().restsUntil)
}

func (r *route) paused() { r.tried = map[*server]bool{} }

// begin chooses the server for a try, and tells its generation; it fails where all rest.
func (r *route) begin() (*server, int, error) {
	r.servers.mutex.Lock()
	defer r.servers.mutex.Unlock()
	chosen := r.writer
	if chosen == nil || r.tried[chosen] || time.Until(chosen.restsUntil) > 0 {
		chosen = r.servers.next(r.tried)
	}
	if chosen == nil {
		r.tried = map[*server]bool{}
		chosen = r.servers.next(r.tried)
	}
	if chosen == nil {
		resting := *r.servers.first().failure
		resting.MayHaveTakenEffect = false
		return nil, 0, &resting
	}
	r.writer = nil
	r.tried[chosen] = true
	return chosen, chosen.generation, nil
}

func (r *route) serves(by *server) {
	r.servers.mutex.Lock()
	defer r.servers.mutex.Unlock()
	by.failure, by.failures, by.restsUntil = nil, 0, time.Time{}
	if r.failed {
		r.servers.moveTo(by)
	}
}

func (r *route) fails(at *server, generation int, took time.Duration, failure *Error) {
	p := r.servers
	p.mutex.Lock()
	defer p.mutex.Unlock()
	r.failed = true
	if writer := failure.Detail.GetNotWriter().GetWriterAddress(); writer != "" {
		for _, each := range p.all {
			if each.address == writer {
				r.writer = each
			}
		}
	}
	isSilent := failure.Code == DeadlineExceeded && took >= silenceMax
	isDown := failure.status == codes.Unavailable && failure.Code != NotWriter && failure.Code != StorageFailed && failure.Code != ReadOnly
	if len(p.all) == 1 || !isSilent && !isDown || generation != at.generation {
		return
	}
	rest := restMax
	if at.failures < 5 {
		rest = restFirst << at.failures
	}
	if rest > restMax {
		rest = restMax
	}
	at.failure = failure
	at.failures++
	at.generation++
	at.restsUntil = time.Now().Add(time.Duration(float64(rest) * (1 - p.random()/2)))
	if p.all[p.current] == at {
		if next := p.next(map[*server]bool{at: true}); next != nil {
			p.moveTo(next)
		}
	}
}

func (p *servers) moveTo(to *server) {
	for index, each := range p.all {
		if each == to {
			p.current = index
		}
	}
}
