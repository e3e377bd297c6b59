package kelp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	kelpv1 "kelp/gen/go/kelp/v1"
)

// Code says why a call failed. The names are those of the TypeScript client.
type Code string

const (
	InvalidArgument   Code = "invalidArgument"
	ConditionFailed   Code = "conditionFailed"
	RevisionCompacted Code = "revisionCompacted"
	RevisionFuture    Code = "revisionFuture"
	KeyNotFound       Code = "keyNotFound"
	LeaseNotFound     Code = "leaseNotFound"
	LeaseExists       Code = "leaseExists"
	NotAnInteger      Code = "notAnInteger"
	IntegerOverflow   Code = "integerOverflow"
	NoTimeToLive      Code = "noTimeToLive"
	LimitReached      Code = "limitReached"
	SlowWatcher       Code = "slowWatcher"
	ShuttingDown      Code = "shuttingDown"
	Recovering        Code = "recovering"
	StorageFailed     Code = "storageFailed"
	Damaged           Code = "damaged"
	SnapshotFailed    Code = "snapshotFailed"
	ReadOnly          Code = "readOnly"
	OtherStore        Code = "otherStore"
	HistoryDiffers    Code = "historyDiffers"
	PartlyDeleted     Code = "partlyDeleted"
	Unauthenticated   Code = "unauthenticated"
	PermissionDenied  Code = "permissionDenied"
	NameNotFound      Code = "nameNotFound"
	NameTaken         Code = "nameTaken"
	WrongType         Code = "wrongType"
	NotAFloat         Code = "notAFloat"
	NotANumber        Code = "notANumber"
	IndexOutOfRange   Code = "indexOutOfRange"
	ReadFailed        Code = "readFailed"
	NotWriter         Code = "notWriter"
	NotClustered      Code = "notClustered"
	NotHandedOver     Code = "notHandedOver"
	Unavailable       Code = "unavailable"      // can't be reached, or the connection broke
	DeadlineExceeded  Code = "deadlineExceeded" // the last try was without an answer
	Canceled          Code = "canceled"         // the context was canceled
	Closed            Code = "closed"           // the client is closed
	Unimplemented     Code = "unimplemented"    // an older server, or no KelpDB server
	Internal          Code = "internal"
)

// In the order of kelpv1.ErrorReason, from 1 on.
var codesByReason = [...]Code{InvalidArgument, ConditionFailed, RevisionCompacted, RevisionFuture, KeyNotFound, LeaseNotFound,
	LeaseExists, NotAnInteger, IntegerOverflow, NoTimeToLive, LimitReached, SlowWatcher, ShuttingDown, Recovering, StorageFailed,
	Damaged, SnapshotFailed, ReadOnly, OtherStore, HistoryDiffers, PartlyDeleted, Unauthenticated, PermissionDenied, NameNotFound,
	NameTaken, WrongType, NotAFloat, NotANumber, IndexOutOfRange, ReadFailed, NotWriter, NotClustered, NotHandedOver}

// Error is what every call of this package fails with; get it by errors.As. Message is for people.
type Error struct {
	Code    Code
	Message string
	// MayHaveTakenEffect is whether the call may have changed something although it failed. False is a promise.
	MayHaveTakenEffect bool
	// RetryAfter is when the same call may succeed, as the server says with LimitReached; 0: it says nothing of it.
	RetryAfter time.Duration
	// Detail is what the server has told in typed form: revisions, stores, the address of the writer. May be nil.
	Detail *kelpv1.ErrorDetail

	cause            error
	status           codes.Code
	isMisconfigured  bool
	lacksCredentials bool
	isFatal          bool
}

func (e *Error) Error() string { return fmt.Sprintf("kelp: %s (%s)", e.Message, e.Code) }

// Unwrap gives context.Canceled and context.DeadlineExceeded where a context ended the call.
func (e *Error) Unwrap() error { return e.cause }

// CurrentModRevision is that of the key whose condition did not hold (ConditionFailed); 0: the key does not exist.
func (e *Error) CurrentModRevision() int64 {
	return e.Detail.GetConditionFailed().GetCurrentModRevision()
}

// CodeOf is the code of an error of this package; empty for any other, and for nil.
func CodeOf(err error) Code {
	var failure *Error
	if errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

func invalid(format string, args ...interface{}) *Error {
	return &Error{Code: InvalidArgument, Message: fmt.Sprintf(format, args...)}
}

// errorOf is the error of a try. isOpen: what was sent may have changed something.
func (c *Client) errorOf(ctx context.Context, err error, isOpen bool, address string) *Error {
	var known *Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &Error{Code: Canceled, Message: "the call was canceled", MayHaveTakenEffect: isOpen, cause: context.Canceled}
	case c.closed.Err() != nil:
		return &Error{Code: Closed, Message: "the client is closed", MayHaveTakenEffect: isOpen, cause: err}
	case errors.As(err, &known):
		return known
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = status.FromContextError(err).Err()
	}
	told := status.Convert(err)
	made := &Error{Message: told.Message(), MayHaveTakenEffect: isOpen, cause: err, status: told.Code()}
	for _, each := range told.Details() {
		switch detail := each.(type) {
		case *kelpv1.ErrorDetail:
			made.Detail = detail
		case *errdetails.RetryInfo:
			made.RetryAfter = detail.GetRetryDelay().AsDuration()
		}
	}
	if reason := int(made.Detail.GetReason()); reason > 0 && reason <= len(codesByReason) {
		made.Code = codesByReason[reason-1]
		// All other reasons are given before anything has changed.
		made.MayHaveTakenEffect = made.Code == PartlyDeleted || isOpen && (made.Code == StorageFailed || made.Code == Damaged)
		return made
	}
	switch told.Code() {
	case codes.DeadlineExceeded:
		made.Code, made.Message, made.cause = DeadlineExceeded, "no answer from "+address+" in time", context.DeadlineExceeded
	case codes.Canceled, codes.Aborted, codes.Unavailable:
		made.Code, made.Message = Unavailable, "the server at "+address+" is not available: "+told.Message()
	case codes.ResourceExhausted:
		made.Code = LimitReached
	case codes.InvalidArgument:
		made.Code, made.MayHaveTakenEffect = InvalidArgument, false
	case codes.Unimplemented:
		made.Code, made.MayHaveTakenEffect = Unimplemented, false
	case codes.PermissionDenied:
		made.Code, made.MayHaveTakenEffect = PermissionDenied, false
	case codes.Unauthenticated:
		made.Code, made.MayHaveTakenEffect = Unauthenticated, false
	default:
		made.Code = Internal
	}
	return made
}

// mayPass is whether the same call may succeed when it is made again, without anything else being done.
func (e *Error) mayPass() bool {
	switch e.Code {
	case LimitReached:
		return e.RetryAfter > 0
	case Unavailable, Recovering, ShuttingDown, NotWriter, ReadFailed:
		return !e.isMisconfigured
	}
	return false
}

// saysNothing is whether it tells nothing of the state, and may be otherwise in a moment.
func (e *Error) saysNothing() bool { return e.mayPass() || e.Code == DeadlineExceeded }

// after is the error that ends a call of several tries.
func (e *Error) after(tries int, began time.Time, before *Error) *Error {
	if tries < 2 || e.Code == Canceled || e.Code == Closed {
		return e
	}
	told := *e
	why := ""
	if e.Code == DeadlineExceeded && before != nil {
		why = ", before that: " + before.Message
	}
	told.Message = fmt.Sprintf("%s (tried %d times in %d ms%s)", e.Message, tries, time.Since(began).Milliseconds(), why)
	return &told
}

// backoff is the pause after so many failures: exponential, with full jitter, so that clients come back spread over time.
func (c *Client) backoff(failures int) time.Duration {
	most := backoffMax
	if len(c.servers.all) > 1 {
		most = backoffMaxSecond
	}
	ceiling := math.Min(float64(most), float64(backoffFirst)*math.Pow(2, float64(failures-1)))
	return time.Duration(c.random() * ceiling)
}

// backoffUntil is the same where there is a deadline; false: there is no time for another try.
func (c *Client) backoffUntil(endsAt time.Time, failures int, least time.Duration) (time.Duration, bool) {
	remaining := time.Until(endsAt) - least
	if remaining < lastTry {
		return 0, false
	}
	pause := c.backoff(failures)
	if pause > remaining/2 {
		pause = remaining / 2
	}
	return least + pause, true
}
