package kelp

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"

	kelpv1 "kelp/gen/go/kelp/v1"
)

// WatchRequest says what to watch, and from where on.
type WatchRequest struct {
	// Ranges, at most 100; none: all keys.
	Ranges []Range
	// StartRevision is the first to tell; 0: what changes from now on.
	StartRevision int64
	// After is the Position of an earlier watch, of another process too: this one goes on behind it, in the store and the history that it
	// is of. StartRevision and IncludeCurrent do not count then.
	After *Position
	// IncludeCurrent has the present entries come first.
	IncludeCurrent bool
	KeysOnly       bool
	// RestartWhenLost begins anew with the present entries, told as Restarted, where the watch can't go on without a gap. Else it ends
	// with RevisionCompacted, RevisionFuture, OtherStore or HistoryDiffers.
	RestartWhenLost bool
}

// Position is up to where a watch has told everything.
type Position struct {
	Revision int64
	// Incarnation of the store that wrote it.
	Incarnation string
	StoreID     string
}

// Kind of a message of a watch.
type Kind string

const (
	Current   Kind = "current"   // some of the present entries
	Synced    Kind = "synced"    // these have all come; what follows is live
	Events    Kind = "events"    // all changes of one revision
	Progress  Kind = "progress"  // there is nothing up to Revision that was not told
	Restarted Kind = "restarted" // what came so far is void: present entries follow
)

// EventType says what has become of a key.
type EventType string

const (
	EventPut    EventType = "put"
	EventDelete EventType = "delete"
)

// Event is a change of a key. Of a delete Entry has the key and ModRevision alone.
type Event struct {
	Type  EventType
	Entry *Entry
}

// Message of a watch.
type Message struct {
	Kind Kind
	// Revision, and the incarnation of the store that wrote it.
	Revision    int64
	Incarnation string
	StoreID     string
	Entries     []*Entry
	Events      []Event
	CommitTime  time.Time
}

// Watch tells changes in the order of their revisions, none twice, none missing, all of one revision together, over broken connections and
// restarts. It is read by one goroutine.
type Watch struct {
	client     *Client
	ctx        context.Context
	cancel     context.CancelFunc
	request    WatchRequest
	route      *route
	began      time.Time
	stream     grpc.ClientStream
	at         *server
	generation int
	shown      int // the generation of the credentials
	storeID    string
	// That wrote the newest message of the connection.
	incarnation string
	// Everything up to it has been told; nil while nothing fixes one.
	position            *Position
	hasTold, hasSynced  bool
	hasHeard, isRenewed bool
	failures, pauses    int
	behindSince         time.Time
	fragments           []Event
	fragmentBytes       int
	fragmentRevision    int64
	message             *Message
	err                 error
}

// Watch tells changes:
//
//	watch := client.Watch(ctx, kelp.WatchRequest{Ranges: []kelp.Range{{Prefix: "users/"}}})
//	defer watch.Close()
//	for watch.Next() {
//		for _, event := range watch.Message().Events {
//			fmt.Println(event.Type, event.Entry.Key)
//		}
//	}
//	return watch.Err()
func (c *Client) Watch(ctx context.Context, request WatchRequest) *Watch {
	w := &Watch{client: c, request: request, route: c.servers.newRoute(), began: time.Now()}
	if request.After != nil {
		after := *request.After
		w.position, w.storeID = &after, after.StoreID
	}
	w.ctx, w.cancel = context.WithCancel(ctx)
	return w
}

// Close ends the watch, from any goroutine.
func (w *Watch) Close() { w.cancel() }

// Message is the one that Next has gone to.
func (w *Watch) Message() *Message { return w.message }

// Position is what to save, once what Next has gone to is dealt with: another watch goes on behind it, see WatchRequest.After. It is nil
// before the first message, unless the request had one, and until all present entries have come, those behind Restarted too: before that,
// a watch that went on behind the revision of a message would miss the others.
func (w *Watch) Position() *Position {
	if w.position == nil {
		return nil
	}
	position := *w.position
	return &position
}

// Err is why the watch ended; nil while it goes on, and where its context or Close ended it.
func (w *Watch) Err() error { return w.err }

// Next waits for the next message; false: the watch has ended.
func (w *Watch) Next() bool {
	for w.err == nil && w.ctx.Err() == nil && w.client.closed.Err() == nil {
		message, err := w.receive()
		if err == nil && message == nil {
			continue
		}
		if err != nil && w.ctx.Err() == nil && w.client.closed.Err() == nil {
			message, w.err = w.recover(err)
		}
		if message != nil && w.err == nil {
			w.hasTold = message.Kind != Restarted
			w.message = message
			return true
		}
	}
	if w.err == nil && w.client.closed.Err() != nil {
		w.err = &Error{Code: Closed, Message: "the client is closed"}
	}
	w.message = nil
	w.cancel()
	return false
}

// fatal is an error of what came, which would come again.
func fatal(code Code, message string) error {
	return &Error{Code: code, Message: message, isFatal: true}
}

func (w *Watch) receive() (*Message, error) {
	if w.stream == nil {
		if err := w.connect(); err != nil {
			return nil, err
		}
	}
	reply := &kelpv1.WatchResponse{}
	if err := w.stream.RecvMsg(reply); err != nil {
		if errors.Is(err, io.EOF) {
			err = &Error{Code: Unavailable, Message: "the server at " + w.at.address + " ended the watch"}
		}
		return nil, err
	}
	if reply.StoreId != "" && w.storeID != "" && reply.StoreId != w.storeID {
		return nil, fatal(Internal, "the server goes on with another store than it was asked to")
	}
	if reply.StoreId != "" {
		w.storeID = reply.StoreId
	}
	if reply.Incarnation != "" {
		w.incarnation = reply.Incarnation
	}
	w.route.serves(w.at)
	w.hasHeard, w.isRenewed, w.failures, w.pauses, w.behindSince = true, false, 0, 0, time.Time{}
	return w.take(reply)
}

func (w *Watch) connect() error {
	w.fragments, w.fragmentBytes, w.fragmentRevision, w.incarnation = nil, 0, 0, ""
	ctx, cancel := context.WithTimeout(w.ctx, w.client.options.Deadline)
	header, shown, err := w.client.authorization.shown(ctx)
	cancel()
	if err != nil {
		return err
	}
	w.shown = shown
	request := &kelpv1.WatchRequest{StoreId: w.storeID, KeysOnly: w.request.KeysOnly}
	for _, each := range w.request.Ranges {
		request.Ranges = append(request.Ranges, each.message())
	}
	if w.position != nil {
		request.StartRevision, request.Incarnation = w.position.Revision+1, w.position.Incarnation
	} else {
		request.StartRevision, request.IncludeCurrent = w.request.StartRevision, w.request.IncludeCurrent
	}
	if w.at, w.generation, err = w.route.begin(); err != nil {
		return err
	}
	w.at.wake(w.ctx)
	description := &grpc.StreamDesc{ServerStreams: true}
	stream, err := w.at.conn.NewStream(withHeader(w.ctx, header), description, "/kelp.v1.WatchService/Watch")
	if err != nil {
		return err
	}
	// An error of these is told by the first receive.
	_ = stream.SendMsg(request)
	_ = stream.CloseSend()
	w.stream = stream
	return nil
}

func (w *Watch) take(reply *kelpv1.WatchResponse) (*Message, error) {
	if w.fragmentRevision != 0 && reply.GetEvents().GetRevision() != w.fragmentRevision {
		return nil, fatal(Internal, "the server sent a revision in part only")
	}
	made := &Message{StoreID: w.storeID, Incarnation: w.incarnation}
	switch told := reply.Message.(type) {
	case *kelpv1.WatchResponse_Current:
		made.Kind, made.Revision = Current, told.Current.Revision
		for _, each := range told.Current.Entries {
			made.Entries = append(made.Entries, entryOf(each))
		}
	case *kelpv1.WatchResponse_Synced:
		made.Kind, made.Revision = Synced, told.Synced.Revision
		if w.hasSynced {
			made.Kind = Progress
		}
		w.hasSynced = true
		w.advance(made, true)
	case *kelpv1.WatchResponse_Progress:
		made.Kind, made.Revision = Progress, told.Progress.Revision
		w.advance(made, false)
	case *kelpv1.WatchResponse_Events:
		made.Kind, made.Revision, made.CommitTime = Events, told.Events.Revision, told.Events.CommitTime.AsTime()
		if w.position != nil && made.Revision <= w.position.Revision {
			return nil, fatal(Internal, "the server sent a revision a second time")
		}
		for _, each := range told.Events.Events {
			w.fragmentBytes += len(each.GetEntry().GetKey()) + len(each.GetEntry().GetKeyBytes()) + len(each.GetEntry().GetValue())
			event := Event{EventPut, entryOf(each.Entry)}
			if each.Type == kelpv1.EventType_EVENT_TYPE_DELETE {
				event.Type = EventDelete
			}
			w.fragments = append(w.fragments, event)
		}
		if w.fragmentBytes > revisionBytesMax {
			return nil, fatal(LimitReached, "the events of one revision are too long; watch fewer ranges, or keys only")
		}
		if w.fragmentRevision = made.Revision; told.Events.MoreFragments {
			return nil, nil
		}
		made.Events = w.fragments
		w.fragments, w.fragmentBytes, w.fragmentRevision = nil, 0, 0
		w.advance(made, false)
	default: // of a newer server
		return nil, nil
	}
	return made, nil
}

// advance moves the position on: present entries count only when all of them have come. It never goes back.
func (w *Watch) advance(to *Message, isSynced bool) {
	if w.position == nil && w.request.IncludeCurrent && !isSynced {
		return
	}
	if w.position != nil && to.Revision < w.position.Revision {
		to.Revision, to.Incarnation = w.position.Revision, w.position.Incarnation
		return
	}
	w.position = &Position{to.Revision, to.Incarnation, to.StoreID}
}

// recover gets ready for the next connection, and tells what the reader must know; or the error that ends the watch.
func (w *Watch) recover(err error) (*Message, error) {
	var wrong *Error
	if errors.As(err, &wrong) && wrong.isFatal {
		return nil, wrong
	}
	address := ""
	if w.at != nil {
		address = w.at.address
	}
	failure := w.client.errorOf(w.ctx, err, false, address)
	if w.at != nil {
		failure.isMisconfigured = failure.Code == Unavailable && w.stream == nil && w.at.handshake.isMisconfigured()
		w.route.fails(w.at, w.generation, 0, failure)
	}
	w.stream, w.at = nil, nil
	if failure.Code == Unauthenticated && !w.isRenewed && !failure.lacksCredentials {
		ctx, cancel := context.WithTimeout(w.ctx, w.client.options.Deadline)
		areOthers, err := w.client.authorization.renew(ctx, w.shown)
		cancel()
		if w.isRenewed = areOthers; areOthers {
			return w.voided(), nil
		}
		if err != nil {
			failure = w.client.errorOf(w.ctx, err, false, address)
		}
	}
	several := len(w.client.servers.all) > 1
	isBehind := several && w.saysItIsBehind(failure)
	switch failure.Code {
	case RevisionCompacted, RevisionFuture, OtherStore, HistoryDiffers:
		if isBehind {
			break
		}
		isRestart := w.position == nil && w.request.IncludeCurrent && failure.Code != OtherStore
		if w.request.RestartWhenLost && !isRestart {
			return w.restarted(), nil
		}
		return nil, failure
	}
	w.failures++
	mayGoOn := isBehind || failure.mayPass() || w.hasHeard && (failure.saysNothing() || failure.Code == SlowWatcher ||
		failure.Code == LimitReached || failure.Code == Unavailable || failure.lacksCredentials)
	if !mayGoOn {
		return nil, failure.after(w.failures, w.began, nil)
	}
	if failure.RetryAfter > 0 || !w.route.goesElsewhere() {
		w.pauses++
		pause, isTime := failure.RetryAfter+w.client.backoff(w.pauses), true
		if !w.hasHeard {
			pause, isTime = w.client.backoffUntil(w.began.Add(w.client.options.Deadline), w.pauses, failure.RetryAfter)
			isTime = isTime && w.client.options.Retries >= 0 && (w.client.options.Retries == 0 || w.pauses <= w.client.options.Retries)
		}
		if !isTime {
			return nil, failure.after(w.failures, w.began, nil)
		}
		if rest := w.route.rest(); several && rest > pause {
			pause = rest
		}
		w.route.paused()
		w.client.wait(w.ctx, pause)
	}
	return w.voided(), nil
}

// saysItIsBehind is whether a server follows another, and has not come yet to where the watch goes on. One that says so for as long as a
// call may take is taken at its word.
func (w *Watch) saysItIsBehind(failure *Error) bool {
	differs := failure.Detail.GetHistoryDiffers()
	if failure.Code != RevisionFuture && differs.GetRequestedRevision() <= differs.GetNewestRevision() {
		return false
	}
	if w.behindSince.IsZero() {
		w.behindSince = time.Now()
	}
	return time.Since(w.behindSince) < w.client.options.Deadline
}

// voided is told where the reader has entries of one revision and will get those of another.
func (w *Watch) voided() *Message {
	if w.position != nil || !w.hasTold {
		return nil
	}
	return w.restarted()
}

func (w *Watch) restarted() *Message {
	w.request.StartRevision, w.request.IncludeCurrent, w.storeID = 0, true, ""
	w.position, w.hasSynced = nil, false
	return &Message{Kind: Restarted}
}
