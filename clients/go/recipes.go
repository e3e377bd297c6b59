package kelp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	kelpv1 "kelp/gen/go/kelp/v1"
)

// Held is a lock, or the leadership of an election: a key in a line of those who want it, attached to a lease that is renewed. The keys
// are those of the TypeScript client, so that holders of both exclude each other.
//
// A process that is paused, or cut off, may believe for a moment that it holds what another one has by now. What makes it safe is Guard in
// each transaction that writes under it, and outside of the store, Token: whatever takes part refuses one that is lower than the highest
// that it has seen.
type Held struct {
	Name string
	// Key that stands for it.
	Key string
	// Token is the fencing token. Each later holder has a higher one.
	Token int64

	client *Client
	lease  *Lease
	// One Release at a time. It waits for the server, so it is not the mutex of the flag, which IsHeld asks for.
	releasing sync.Mutex
	mutex     sync.Mutex
	released  bool
}

// Lock waits for a lock that one holds at a time, in the order in which they came, for as long as the context lets it. What a process
// held that died is free when ttl has passed; 0: ten seconds.
func (c *Client) Lock(ctx context.Context, name string, ttl time.Duration) (*Held, error) {
	return c.hold(ctx, name, "lock", nil, ttl, true)
}

// TryLock gives the lock, if it is free and none waits for it; else nil, without a wait.
func (c *Client) TryLock(ctx context.Context, name string, ttl time.Duration) (*Held, error) {
	if prefix, err := recipePrefix(name, "lock"); err != nil {
		return nil, err
	} else if count, err := c.count(ctx, prefix); err != nil || count > 0 {
		return nil, err
	}
	return c.hold(ctx, name, "lock", nil, ttl, false)
}

// Done is closed when it is lost: its lease is gone, or may be, by the clock of this process, or the client is closed. Release does not
// close it.
func (h *Held) Done() <-chan struct{} { return h.lease.Done() }

// Err is by what it was lost; nil before that.
func (h *Held) Err() error { return h.lease.Err() }

// IsHeld is whether it is held, by the clock of this process. True is true for this moment only: see Guard.
func (h *Held) IsHeld() bool {
	return !h.isReleased() && h.lease.Remaining() > 0
}

// Guard is a condition for a transaction: that this is still held when it runs.
func (h *Held) Guard() Compare { return CreateRevisionIs(h.Key, h.Token) }

// Release gives it back: the next one has it as soon as this returns. It may be given back several times, and when it was lost.
func (h *Held) Release(ctx context.Context) error {
	h.releasing.Lock()
	defer h.releasing.Unlock()
	if h.isReleased() {
		return nil
	}
	err := h.client.answered(ctx, func() error {
		err := h.lease.Revoke(ctx)
		if CodeOf(err) == LeaseNotFound {
			return nil
		}
		return err
	})
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.released = err == nil
	return err
}

func (h *Held) isReleased() bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.released
}

// Leadership of an election. It is held until it is resigned or lost.
type Leadership struct {
	*Held
	turn        sync.Mutex
	modRevision int64
}

// Elect waits until it leads, in the order in which candidates came, for as long as the context lets it. The value is what observers are
// told; those in TypeScript read JSON unless they have another codec.
func (c *Client) Elect(ctx context.Context, name string, value []byte, ttl time.Duration) (*Leadership, error) {
	if err := checkLeaderValue(value); err != nil {
		return nil, err
	}
	held, err := c.hold(ctx, name, "candidate", value, ttl, true)
	if err != nil {
		return nil, err
	}
	return &Leadership{Held: held, modRevision: held.Token}, nil
}

// Resign lets another one lead.
func (l *Leadership) Resign(ctx context.Context) error { return l.Release(ctx) }

// Proclaim tells observers a new value. It is LeaseNotFound when this candidate leads no more.
func (l *Leadership) Proclaim(ctx context.Context, value []byte) error {
	if err := checkLeaderValue(value); err != nil {
		return err
	}
	l.turn.Lock()
	defer l.turn.Unlock()
	for {
		var result TxnResult
		err := l.client.answered(ctx, func() (err error) {
			// One that was on its way for long can't take the place of a later one.
			result, err = l.client.Txn().If(l.Guard(), ModRevisionIs(l.Key, l.modRevision)).
				Then(OpPut(l.Key, value, WithLease(l.lease.ID))).Else(OpGet(l.Key)).Commit(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if result.Succeeded {
			l.modRevision = result.Revision
			return nil
		}
		found := result.Results[0].Entry
		if found == nil || found.CreateRevision != l.Token {
			return &Error{Code: LeaseNotFound, Message: "this candidate leads " + l.Name + " no more"}
		}
		// Nothing else writes the key: it is this value whose answer was lost, or one before it.
		if l.modRevision = found.ModRevision; bytes.Equal(found.Value, value) {
			return nil
		}
	}
}

// Leader is who leads, as an observer sees it.
type Leader struct {
	Value []byte
	Token int64
}

// Leaders of an election, as Client.Leaders gives them.
type Leaders struct {
	watch      *Watch
	candidates map[string]*Entry
	shown      *Entry
	hasShown   bool
	isSynced   bool
	err        error
}

// Leaders tells the present leader, then each that comes and each value that one proclaims, and nil when there is none. Over broken
// connections and restarts it goes on; where what has been is not kept any more it goes on with what is.
func (c *Client) Leaders(ctx context.Context, name string) *Leaders {
	prefix, err := recipePrefix(name, "candidate")
	request := WatchRequest{Ranges: []Range{{Prefix: prefix}}, IncludeCurrent: true, RestartWhenLost: true}
	return &Leaders{watch: c.Watch(ctx, request), candidates: map[string]*Entry{}, err: err}
}

// Next waits for the next leader; false: the context or Close has ended it, or an error has.
func (l *Leaders) Next() bool {
	for l.err == nil && l.watch.Next() {
		switch message := l.watch.Message(); message.Kind {
		case Restarted:
			l.candidates, l.isSynced = map[string]*Entry{}, false
		case Synced:
			l.isSynced = true
		default:
			for _, each := range message.Entries {
				l.candidates[each.Key] = each
			}
			for _, each := range message.Events {
				delete(l.candidates, each.Entry.Key)
				if each.Type == EventPut {
					l.candidates[each.Entry.Key] = each.Entry
				}
			}
		}
		if !l.isSynced {
			continue
		}
		var first *Entry
		for _, each := range l.candidates {
			if first == nil || each.CreateRevision < first.CreateRevision {
				first = each
			}
		}
		isSame := l.hasShown && (first == nil) == (l.shown == nil) && (first == nil || first.ModRevision == l.shown.ModRevision)
		if l.shown, l.hasShown = first, true; !isSame {
			return true
		}
	}
	return false
}

// Leader is the one that Next has gone to; nil: there is none.
func (l *Leaders) Leader() *Leader {
	if l.shown == nil {
		return nil
	}
	return &Leader{l.shown.Value, l.shown.CreateRevision}
}

// Err is why it ended; nil where its context or Close ended it.
func (l *Leaders) Err() error {
	if l.err != nil {
		return l.err
	}
	return l.watch.Err()
}

// Close ends it, from any goroutine.
func (l *Leaders) Close() { l.watch.Close() }

func checkLeaderValue(value []byte) error {
	if len(value) <= leaderValueBytesMax {
		return nil
	}
	message := fmt.Sprintf("the value of a leader has %d bytes, and may have %d", len(value), leaderValueBytesMax)
	return &Error{Code: LimitReached, Message: message}
}

func recipePrefix(name, kind string) (string, error) {
	if name == "" || len(name) > recipeNameBytesMax || strings.Contains(name, "/~") {
		return "", invalid("the name %q must have 1 to %d bytes, and no /~", name, recipeNameBytesMax)
	}
	return name + "/~" + kind + "/", nil
}

func (c *Client) count(ctx context.Context, prefix string) (int64, error) {
	request := &kelpv1.ScanRequest{Range: Range{Prefix: prefix}.message(), CountOnly: true}
	reply := &kelpv1.ScanResponse{}
	err := c.read(ctx, "KvService/Scan", request, reply)
	return reply.Count, err
}

// hold takes the last place in a line: a key named for its lease. It is the turn of the key that was created first. Without a wait
// it gives nil when it is not its turn at once.
func (c *Client) hold(ctx context.Context, name, kind string, value []byte, ttl time.Duration, waits bool) (*Held, error) {
	prefix, err := recipePrefix(name, kind)
	if err != nil {
		return nil, err
	}
	if ttl == 0 {
		ttl = recipeTTL
	}
	var lease *Lease
	// A grant whose answer was lost leaves a lease without keys, which ends by itself.
	err = c.answered(ctx, func() (err error) {
		lease, err = c.Grant(ctx, ttl)
		return err
	})
	if err != nil {
		return nil, err
	}
	lease.KeepAlive()
	// What is under way ends with the lease.
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-lease.Done():
			cancel()
		case <-inner.Done():
		}
	}()
	held := &Held{Name: name, Key: fmt.Sprintf("%s%014x", prefix, lease.ID), client: c, lease: lease}
	hasTurn := false
	if err = held.enter(inner, prefix, value); err == nil {
		hasTurn, err = held.await(inner, prefix, waits)
	}
	if err == nil && hasTurn {
		return held, nil
	}
	if ctx.Err() == nil && lease.Err() != nil {
		err = lease.Err()
	}
	// In a moment; where that fails its time to live does it.
	leaving, left := context.WithTimeout(context.Background(), leaveTime)
	defer left()
	_ = lease.Revoke(leaving)
	return nil, err
}

func (h *Held) enter(ctx context.Context, prefix string, value []byte) error {
	count, err := h.client.count(ctx, prefix)
	if err != nil {
		return err
	}
	if count >= lineMax {
		return &Error{Code: LimitReached, Message: fmt.Sprintf("%d hold or wait already, and %d may: try again later", count, lineMax)}
	}
	return h.client.answered(ctx, func() error {
		result, err := h.client.Txn().If(Exists(h.Key, false)).
			Then(OpPut(h.Key, value, WithLease(h.lease.ID))).Else(OpGet(h.Key)).Commit(ctx)
		if err != nil {
			return err
		}
		if result.Succeeded {
			h.Token = result.Revision
			return nil
		}
		found := result.Results[0].Entry
		if found == nil || found.LeaseID != h.lease.ID {
			return &Error{Code: Internal, Message: "the key " + h.Key + " is not attached to the lease that it is named for"}
		}
		h.Token = found.CreateRevision
		return nil
	})
}

// await outlasts what passes by itself, such as a restart of the server, for as long as the lease lives.
func (h *Held) await(ctx context.Context, prefix string, waits bool) (bool, error) {
	for failures := 1; ; {
		before, revision, err := h.look(ctx, prefix)
		if err == nil {
			failures = 1
			if before == "" || !waits {
				return before == "", nil
			}
			err = h.oneGone(ctx, before, revision)
		}
		var failure *Error
		if ctx.Err() != nil || errors.As(err, &failure) && (!waits || !failure.saysNothing()) {
			if err == nil {
				err = h.client.errorOf(ctx, ctx.Err(), false, "")
			}
			return false, err
		}
		if err != nil {
			h.client.wait(ctx, h.client.backoff(failures))
			failures++
		}
	}
}

// look gives the nearest key before the own one; empty: there is none.
func (h *Held) look(ctx context.Context, prefix string) (string, int64, error) {
	var found []*Entry
	scan := h.client.Scan(ctx, Range{Prefix: prefix}, ScanOptions{KeysOnly: true})
	for scan.Next() {
		found = append(found, scan.Entry())
	}
	if err := scan.Err(); err != nil {
		return "", 0, err
	}
	sort.Slice(found, func(one, other int) bool { return found[one].CreateRevision < found[other].CreateRevision })
	before := ""
	for _, each := range found {
		if each.Key == h.Key && each.CreateRevision == h.Token {
			return before, scan.Revision(), nil
		}
		before = each.Key
	}
	return "", 0, &Error{Code: LeaseNotFound, Message: "the key " + h.Key + " is gone, and the place in line with it"}
}

// oneGone returns when the key may be gone that was there at a revision.
func (h *Held) oneGone(ctx context.Context, key string, revision int64) error {
	watch := h.client.Watch(ctx, WatchRequest{Ranges: []Range{{Key: key}}, StartRevision: revision + 1, KeysOnly: true})
	defer watch.Close()
	for watch.Next() {
		for _, each := range watch.Message().Events {
			if each.Type == EventDelete {
				return nil
			}
		}
	}
	// Where those changes are not kept any more, a new look tells just as well.
	switch CodeOf(watch.Err()) {
	case RevisionCompacted, RevisionFuture, OtherStore, HistoryDiffers:
		return nil
	}
	return watch.Err()
}
