package kelp

import (
	"context"
	"encoding/base64"
)

// Credentials are what a client shows of who it is.
type Credentials struct {
	header string
	source func(context.Context) (*Credentials, error)
}

// Password is that of a user.
func Password(user, password string) *Credentials {
	return &Credentials{header: "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
}

// Token is one that the server has made.
func Token(token string) *Credentials { return &Credentials{header: "Bearer " + token} }

// CredentialsFunc are those that a function gives: it is called before the first call, and again when the server does not take them any
// more, once for all calls that were refused; these are then made again, once each.
func CredentialsFunc(give func(context.Context) (*Credentials, error)) *Credentials {
	return &Credentials{source: give}
}

type authorization struct {
	given *Credentials
	// Held by who reads or changes what follows, also while the function runs.
	turn       chan struct{}
	header     string
	generation int
	// The first generation that shows what is shown now.
	changedAt int
}

func newAuthorization(given *Credentials) *authorization {
	a := &authorization{given: given, turn: make(chan struct{}, 1)}
	if given != nil {
		a.header = given.header
	}
	return a
}

func (a *authorization) enter(ctx context.Context) error {
	select {
	case a.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &Error{Code: DeadlineExceeded, Message: "the function for credentials gave none in time", cause: ctx.Err()}
	}
}

// shown is the header of a call that begins, and its generation.
func (a *authorization) shown(ctx context.Context) (string, int, error) {
	if a.given == nil || a.given.source == nil {
		return a.header, 0, nil
	}
	if err := a.enter(ctx); err != nil {
		return "", 0, err
	}
	defer func() { <-a.turn }()
	if a.generation == 0 {
		if err := a.call(ctx); err != nil {
			return "", 0, err
		}
	}
	return a.header, a.generation, nil
}

// renew gets others than those of a generation; false: there are none.
func (a *authorization) renew(ctx context.Context, generation int) (bool, error) {
	if a.given == nil || a.given.source == nil {
		return false, nil
	}
	if err := a.enter(ctx); err != nil {
		return false, err
	}
	defer func() { <-a.turn }()
	if generation == a.generation {
		if err := a.call(ctx); err != nil {
			return false, err
		}
	}
	return generation < a.changedAt, nil
}

func (a *authorization) call(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, credentialsTime)
	defer cancel()
	given, err := a.given.source(ctx)
	if err != nil {
		message := "no credentials: the function for them failed: " + err.Error()
		return &Error{Code: Unauthenticated, Message: message, cause: err, lacksCredentials: true}
	}
	if given == nil || given.header == "" {
		return invalid("the function for credentials gave none")
	}
	a.generation++
	if given.header != a.header {
		a.header, a.changedAt = given.header, a.generation
	}
	return nil
}
