package kelp

import (
	"context"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"

	kelpv1 "kelp/gen/go/kelp/v1"
)

// Entry is a key with its value.
type Entry struct {
	Key   string
	Value []byte
	// CreateRevision is that of the first put after the key did not exist, ModRevision that of the last.
	CreateRevision, ModRevision int64
	// Version is how often it was written since its creation.
	Version int64
	// LeaseID is 0 when it is attached to none.
	LeaseID int64
	// ExpiresAt is zero when it has no time to live of its own.
	ExpiresAt time.Time
}

func entryOf(from *kelpv1.Entry) *Entry {
	if from == nil {
		return nil
	}
	made := &Entry{Key: from.Key + string(from.KeyBytes), Value: from.Value, CreateRevision: from.CreateRevision,
		ModRevision: from.ModRevision, Version: from.Version, LeaseID: from.LeaseId}
	if from.ExpireTime != nil {
		made.ExpiresAt = from.ExpireTime.AsTime()
	}
	return made
}

// keyOf is a key as requests have it: as text, or else as bytes.
func keyOf(key string) (string, []byte) {
	if utf8.ValidString(key) {
		return key, nil
	}
	return "", []byte(key)
}

// Range of keys: all with a prefix, from Start to before End, or one key; the empty one is of all keys.
type Range struct{ Prefix, Start, End, Key string }

func (r Range) message() *kelpv1.KeyRange {
	made := &kelpv1.KeyRange{}
	made.Prefix, made.PrefixBytes = keyOf(r.Prefix)
	made.Start, made.StartBytes = keyOf(r.Start)
	made.End, made.EndBytes = keyOf(r.End)
	made.Key, made.KeyBytes = keyOf(r.Key)
	return made
}

// GetResult is what a Get has read; Entry is nil when there is none.
type GetResult struct {
	Entry *Entry
	// Revision of the store at which it was read.
	Revision int64
}

// GetOption says how to read.
type GetOption func(*kelpv1.GetRequest)

// AtRevision reads what there was at a revision.
func AtRevision(revision int64) GetOption {
	return func(request *kelpv1.GetRequest) { request.Revision = revision }
}

// Get reads a key. That it does not exist is no error.
func (c *Client) Get(ctx context.Context, key string, options ...GetOption) (GetResult, error) {
	request, reply := &kelpv1.GetRequest{}, &kelpv1.GetResponse{}
	request.Key, request.KeyBytes = keyOf(key)
	for _, option := range options {
		option(request)
	}
	err := c.read(ctx, "KvService/Get", request, reply)
	return GetResult{entryOf(reply.Entry), reply.Revision}, err
}

// WriteOption is a condition of a write, or how long what is put shall live. With several conditions the last one holds.
type WriteOption func(*written)

type written struct {
	condition *kelpv1.Condition
	ttl       *durationpb.Duration
	leaseID   int64
}

// IfRevision lets a write go ahead when the ModRevision of the key is this; 0: when it does not exist.
func IfRevision(revision int64) WriteOption {
	return func(w *written) {
		w.condition = &kelpv1.Condition{Condition: &kelpv1.Condition_ModRevisionEquals{ModRevisionEquals: revision}}
	}
}

// IfAbsent lets a write go ahead when the key does not exist.
func IfAbsent() WriteOption {
	return func(w *written) {
		w.condition = &kelpv1.Condition{Condition: &kelpv1.Condition_MustNotExist{MustNotExist: true}}
	}
}

// IfPresent lets a write go ahead when the key exists.
func IfPresent() WriteOption {
	return func(w *written) {
		w.condition = &kelpv1.Condition{Condition: &kelpv1.Condition_MustExist{MustExist: true}}
	}
}

// WithTTL lets what is put live for so long.
func WithTTL(ttl time.Duration) WriteOption { return func(w *written) { w.ttl = durationpb.New(ttl) } }

// WithLease lets what is put live as long as a lease.
func WithLease(leaseID int64) WriteOption { return func(w *written) { w.leaseID = leaseID } }

func writtenOf(options []WriteOption) written {
	made := written{}
	for _, option := range options {
		option(&made)
	}
	return made
}

// Put writes a key, and gives the revision of that. A condition that does not hold is ConditionFailed.
func (c *Client) Put(ctx context.Context, key string, value []byte, options ...WriteOption) (int64, error) {
	w := writtenOf(options)
	request := &kelpv1.PutRequest{Value: value, Ttl: w.ttl, LeaseId: w.leaseID, Condition: w.condition}
	request.Key, request.KeyBytes = keyOf(key)
	reply := &kelpv1.PutResponse{}
	err := c.write(ctx, "KvService/Put", request, reply)
	return reply.Revision, err
}

// DeleteResult is what a Delete did. Revision is that of the store where nothing was deleted.
type DeleteResult struct {
	Deleted  bool
	Revision int64
}

// Delete deletes a key, if it exists. Of the options it takes the conditions.
func (c *Client) Delete(ctx context.Context, key string, options ...WriteOption) (DeleteResult, error) {
	w := writtenOf(options)
	if w.ttl != nil || w.leaseID != 0 {
		return DeleteResult{}, invalid("a delete takes no time to live and no lease")
	}
	request, reply := &kelpv1.DeleteRequest{Condition: w.condition}, &kelpv1.DeleteResponse{}
	request.Key, request.KeyBytes = keyOf(key)
	err := c.write(ctx, "KvService/Delete", request, reply)
	return DeleteResult{reply.Deleted, reply.Revision}, err
}

// IncrementResult is what an Increment did.
type IncrementResult struct{ Value, Revision int64 }

// Increment adds to a number that is kept as decimal text; a key that does not exist counts as 0.
func (c *Client) Increment(ctx context.Context, key string, delta int64) (IncrementResult, error) {
	request, reply := &kelpv1.IncrementRequest{Delta: delta}, &kelpv1.IncrementResponse{}
	request.Key, request.KeyBytes = keyOf(key)
	err := c.write(ctx, "KvService/Increment", request, reply)
	return IncrementResult{reply.Value, reply.Revision}, err
}

// ScanOptions say how to read a range.
type ScanOptions struct {
	// Limit is the most entries in all; 0: no limit.
	Limit int64
	// PageSize is the most entries of one reply; 0: 1000.
	PageSize int32
	// Revision to read at; 0: the newest.
	Revision          int64
	Reverse, KeysOnly bool
}

// Scan goes through the entries of a range, page by page; all are of one revision.
type Scan struct {
	client  *Client
	ctx     context.Context
	request *kelpv1.ScanRequest
	left    int64
	page    []*kelpv1.Entry
	reply   kelpv1.ScanResponse
	hasRead bool
	// That of the last page that came: a reply is empty while the next one is asked for.
	revision int64
	err      error
}

// Scan reads a range in the order of keys:
//
//	scan := client.Scan(ctx, kelp.Range{Prefix: "users/"}, kelp.ScanOptions{})
//	for scan.Next() {
//		fmt.Println(scan.Entry().Key)
//	}
//	return scan.Err()
func (c *Client) Scan(ctx context.Context, keys Range, options ScanOptions) *Scan {
	request := &kelpv1.ScanRequest{Range: keys.message(), Revision: options.Revision, Limit: options.PageSize,
		Reverse: options.Reverse, KeysOnly: options.KeysOnly}
	scan := &Scan{client: c, ctx: ctx, request: request, left: options.Limit}
	if options.Limit < 0 || options.PageSize < 0 {
		scan.err = invalid("a limit is negative")
	} else if options.Limit == 0 {
		scan.left = 1<<63 - 1
	}
	return scan
}

// Next goes to the next entry; false at the end, and when that failed.
func (s *Scan) Next() bool {
	if len(s.page) > 0 {
		s.page = s.page[1:]
	}
	for len(s.page) == 0 {
		if s.err != nil || s.left == 0 || s.hasRead && s.reply.NextPageToken == "" {
			return false
		}
		size := int64(s.request.Limit)
		if size == 0 {
			size = 1000
		}
		if size > s.left {
			size = s.left
		}
		s.request.Limit, s.request.PageToken = int32(size), s.reply.NextPageToken
		s.reply.Reset()
		if s.err = s.client.read(s.ctx, "KvService/Scan", s.request, &s.reply); s.err != nil {
			return false
		}
		s.hasRead, s.revision = true, s.reply.Revision
		s.page = s.reply.Entries
		s.left -= int64(len(s.page))
	}
	return true
}

// Entry is the one that Next has gone to.
func (s *Scan) Entry() *Entry { return entryOf(s.page[0]) }

// Revision at which all entries were read, once a page has come: a watch goes on from the one behind it.
func (s *Scan) Revision() int64 { return s.revision }

// Err is why the scan ended early; nil: it did not.
func (s *Scan) Err() error { return s.err }
