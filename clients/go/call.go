package kelp

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// A call that changes nothing, or the same however often it is made, is repeated after any failure that may pass. One that changes
// something is repeated only where that failure proves that nothing has changed; a lost answer is no such proof. Where there are several
// servers, what is repeated goes to the next one at once, and there is a pause when each was tried.
type call struct {
	isWrite bool
	method  string
	// One try may take so long; 0: all that is left.
	tryMax time.Duration
	// Called before each try.
	onTry func()
}

func (c *Client) read(ctx context.Context, method string, request, reply proto.Message) error {
	return c.run(ctx, call{method: method}, request, reply)
}

func (c *Client) write(ctx context.Context, method string, request, reply proto.Message) error {
	return c.run(ctx, call{method: method, isWrite: true}, request, reply)
}

func (c *Client) run(ctx context.Context, made call, request, reply proto.Message) error {
	began := time.Now()
	endsAt := began.Add(c.options.Deadline)
	if given, has := ctx.Deadline(); has {
		endsAt = given
	}
	ctx, cancel := context.WithDeadline(ctx, endsAt)
	defer cancel()
	route := c.servers.newRoute()
	isRenewed := false
	pauses := 0
	var last *Error
	for tries := 1; ; tries++ {
		if errors.Is(ctx.Err(), context.Canceled) || c.closed.Err() != nil {
			return c.errorOf(ctx, nil, false, "")
		}
		header, generation, err := c.authorization.shown(ctx)
		if err != nil {
			return c.errorOf(ctx, err, false, "")
		}
		// A pause ends late in a process that is held up.
		remaining := time.Until(endsAt)
		if last != nil && remaining <= 0 {
			return last.after(tries-1, began, nil)
		}
		within := remaining
		if made.tryMax > 0 && made.tryMax < within {
			within = made.tryMax
		}
		if half := remaining / 2; !made.isWrite && len(c.servers.all) > 1 && within > half && half >= silenceMax {
			within = half
		}
		failure := c.attempt(ctx, route, made, within, header, request, reply)
		if failure == nil {
			return nil
		}
		if failure.Code == Unauthenticated && !isRenewed {
			areOthers, err := c.authorization.renew(ctx, generation)
			if err != nil {
				return c.errorOf(ctx, err, false, "")
			}
			if areOthers {
				isRenewed, last = true, failure
				continue
			}
		}
		mayBeRepeated := !failure.MayHaveTakenEffect && (failure.mayPass() ||
			failure.Code == DeadlineExceeded && within < remaining ||
			failure.Code == Unavailable && route.goesElsewhere())
		if mayBeRepeated && failure.Code != LimitReached && route.goesElsewhere() && time.Until(endsAt) >= lastTry {
			last = failure
			continue
		}
		if !mayBeRepeated || c.options.Retries < 0 || c.options.Retries > 0 && pauses >= c.options.Retries {
			return failure.after(tries, began, last)
		}
		pauses++
		pause, isTime := c.backoffUntil(endsAt, pauses, failure.RetryAfter)
		if !isTime {
			return failure.after(tries, began, last)
		}
		if rest := route.rest(); len(c.servers.all) > 1 && rest > pause {
			pause = rest
			if half := time.Until(endsAt) / 2; pause > half {
				pause = half
			}
		}
		last = failure
		route.paused()
		c.wait(ctx, pause)
	}
}

func (c *Client) attempt(ctx context.Context, route *route, made call, within time.Duration, header string, request, reply proto.Message) *Error {
	if made.onTry != nil {
		made.onTry()
	}
	at, generation, err := route.begin()
	if err != nil {
		return c.errorOf(ctx, err, false, "")
	}
	began := time.Now()
	note := &sent{}
	tryCtx, cancel := context.WithTimeout(context.WithValue(ctx, sentKey{}, note), within)
	defer cancel()
	at.wake(tryCtx)
	if err = at.conn.Invoke(withHeader(tryCtx, header), "/kelp.v1."+made.method, request, reply); err == nil {
		route.serves(at)
		return nil
	}
	failure := c.errorOf(ctx, err, made.isWrite && note.get(), at.address)
	failure.isMisconfigured = failure.Code == Unavailable && !note.get() && at.handshake.isMisconfigured()
	if failure.Code != Canceled && failure.Code != Closed {
		route.fails(at, generation, time.Since(began), failure)
	}
	return failure
}

func withHeader(ctx context.Context, header string) context.Context {
	if header == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", header)
}

// answered makes a call which, made a second time, does nothing more and tells what the first one did: one whose answer was lost is made
// again until it has an answer, for as long as a call may take from then on.
func (c *Client) answered(ctx context.Context, make func() error) error {
	var endsAt time.Time
	for failures := 1; ; failures++ {
		err := make()
		var failure *Error
		if !errors.As(err, &failure) {
			return err
		}
		if endsAt.IsZero() {
			if !failure.MayHaveTakenEffect {
				return err
			}
			endsAt = time.Now().Add(c.options.Deadline)
		}
		pause, isTime := c.backoffUntil(endsAt, failures, 0)
		if !failure.MayHaveTakenEffect && !failure.saysNothing() || !isTime || ctx.Err() != nil || c.closed.Err() != nil {
			// That a later try surely did nothing says nothing of the first.
			open := *failure
			open.MayHaveTakenEffect = true
			return &open
		}
		c.wait(ctx, pause)
	}
}
