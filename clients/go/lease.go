package kelp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	kelpv1 "kelp/gen/go/kelp/v1"
)

// Lease is a time to live that many keys share, and that KeepAlive renews.
type Lease struct {
	ID int64
	// TTL is how long it lives without being renewed.
	TTL time.Duration

	client *Client
	done   chan struct{}
	keeps  sync.Once
	// Of the renewing: nil while there is none.
	stopped   context.Context
	stop      context.CancelFunc
	mutex     sync.Mutex
	renewedAt time.Time
	err       error
	isRevoked bool
}

// Grant makes a lease of a second or more. It runs from now on.
func (c *Client) Grant(ctx context.Context, ttl time.Duration) (*Lease, error) {
	var askedAt time.Time
	reply := &kelpv1.GrantResponse{}
	made := call{isWrite: true, method: "LeaseService/Grant", onTry: func() { askedAt = time.Now() }}
	if err := c.run(ctx, made, &kelpv1.GrantRequest{Ttl: durationpb.New(ttl)}, reply); err != nil {
		return nil, err
	}
	return &Lease{ID: reply.LeaseId, TTL: reply.Ttl.AsDuration(), client: c, done: make(chan struct{}), renewedAt: askedAt}, nil
}

// KeepAlive renews the lease by itself, each time a third of its time to live has passed, until it is revoked or closed, or is lost.
func (l *Lease) KeepAlive() *Lease {
	l.keeps.Do(func() {
		// The client holds it until it is stopped, so a lease that is not renewed has none.
		l.stopped, l.stop = context.WithCancel(l.client.closed)
		go l.keepAlive()
	})
	return l
}

// Done is closed when the lease is lost while it is kept alive: it is gone, could not be renewed for as long as it lives by the clock of
// this process, or the client is closed.
func (l *Lease) Done() <-chan struct{} { return l.done }

// Err is by what it was lost; nil before that.
func (l *Lease) Err() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.err
}

// Remaining is how long it lives still as far as this process can know; 0: it may be gone.
func (l *Lease) Remaining() time.Duration {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	remaining := time.Until(l.renewedAt.Add(l.TTL))
	if remaining < 0 || l.isRevoked || l.err != nil {
		return 0
	}
	return remaining
}

// Renew starts its time to live anew, once.
func (l *Lease) Renew(ctx context.Context) error { return l.renew(ctx, 0) }

func (l *Lease) renew(ctx context.Context, tryMax time.Duration) error {
	var askedAt time.Time
	made := call{method: "LeaseService/Renew", tryMax: tryMax, onTry: func() { askedAt = time.Now() }}
	err := l.client.run(ctx, made, &kelpv1.RenewRequest{LeaseId: l.ID}, &kelpv1.RenewResponse{})
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if err == nil && askedAt.After(l.renewedAt) {
		l.renewedAt = askedAt
	}
	return err
}

// Revoke ends it and deletes its keys.
func (l *Lease) Revoke(ctx context.Context) error {
	l.Close()
	l.mutex.Lock()
	l.isRevoked = true
	l.mutex.Unlock()
	return l.client.write(ctx, "LeaseService/Revoke", &kelpv1.RevokeRequest{LeaseId: l.ID}, &kelpv1.RevokeResponse{})
}

// Close stops renewing. The lease lives on at the server until its time has passed.
func (l *Lease) Close() {
	// KeepAlive starts nothing after this.
	l.keeps.Do(func() {})
	if l.stop != nil {
		l.stop()
	}
}

func (l *Lease) endsAt() time.Time {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.renewedAt.Add(l.TTL)
}

func (l *Lease) keepAlive() {
	interval := l.TTL / 3
	if interval > renewIntervalMax {
		interval = renewIntervalMax
	}
	for l.stopped.Err() == nil {
		if due := time.Until(l.endsAt().Add(interval - l.TTL)); due > 0 {
			l.client.wait(l.stopped, due)
		} else if err := l.renewInTime(); err != nil {
			l.lose(err)
		}
	}
	if l.client.closed.Err() != nil {
		l.lose(&Error{Code: Closed, Message: "the client is closed"})
	}
}

// renewInTime gives the error by which the lease is lost.
func (l *Lease) renewInTime() error {
	tryMax := l.TTL / 6
	if tryMax < renewTryMin {
		tryMax = renewTryMin
	}
	if tryMax > deadlineDefault {
		tryMax = deadlineDefault
	}
	lost := &Error{Code: Unavailable, Message: fmt.Sprintf("lease %d could not be renewed for %v, as long as it lives", l.ID, l.TTL)}
	for failures := 1; l.stopped.Err() == nil; failures++ {
		endsAt := l.endsAt()
		if time.Until(endsAt) <= 0 {
			return lost
		}
		ctx, cancel := context.WithDeadline(l.stopped, endsAt)
		err := l.renew(ctx, tryMax)
		cancel()
		var failure *Error
		if !errors.As(err, &failure) {
			return err
		}
		if l.stopped.Err() != nil {
			return nil
		}
		if failure.Code == LeaseNotFound {
			return failure
		}
		// That there was no answer tells least of all.
		if lost.cause == nil || failure.Code != DeadlineExceeded {
			lost.cause, lost.Code = failure, Unavailable
			if failure.Code == Unauthenticated || failure.Code == PermissionDenied {
				lost.Code = failure.Code
			}
		}
		// What a call is not repeated for (a server that is read only) may pass all the same.
		pause, isTime := l.client.backoffUntil(endsAt, failures, 0)
		if !isTime {
			pause = time.Until(endsAt)
		}
		l.client.wait(l.stopped, pause)
	}
	return nil
}

func (l *Lease) lose(err error) {
	l.stop()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.err == nil && !l.isRevoked {
		l.err = err
		close(l.done)
	}
}
