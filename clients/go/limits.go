package kelp

import "time"

// The limits of the TypeScript client, but for how often a silent connection is asked for a sign of life: Go's gRPC does that every
// ten seconds at most.
const (
	// The time that a call may take, its retries included, unless the options or its context say another one.
	deadlineDefault = 10 * time.Second
	// A function that gives credentials has failed when it takes longer.
	credentialsTime = 30 * time.Second
	// Before the n-th retry a random time of up to this much, doubled n - 1 times, passes, but never more than the longest pause,
	// nor more than half of what is left of the deadline; with less than lastTry left there is no other try.
	backoffFirst     = 100 * time.Millisecond
	backoffMax       = 5 * time.Second
	backoffMaxSecond = 500 * time.Millisecond // where there are several servers
	lastTry          = 50 * time.Millisecond
	// A connection that is not made within this time has failed.
	connectTime       = 5 * time.Second
	connectTimeSecond = 2 * time.Second // where there are several servers
	pingTime          = 10 * time.Second
	pingTimeout       = 5 * time.Second
	addressesMax      = 16
	// A server that can't be reached is not asked again for this long, doubled with each failure in a row up to restMax.
	restFirst = 100 * time.Millisecond
	restMax   = 2 * time.Second
	// A server of several that has not answered for so long is taken for dead.
	silenceMax          = 2500 * time.Millisecond
	messageBytesMax     = 256 << 20
	revisionBytesMax    = 256 << 20
	renewIntervalMax    = time.Hour
	renewTryMin         = 250 * time.Millisecond
	recipeNameBytesMax  = 1 << 10
	recipeTTL           = 10 * time.Second
	lineMax             = 10_000
	leaderValueBytesMax = 64 << 10
	leaveTime           = 2 * time.Second
)
