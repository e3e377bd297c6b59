// Command conformance is the driver of the conformance script over this client: see clients/conformance/README.md.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"kelp"
)

// text is a text, or bytes as {"base64": "..."}.
type text string

func (t *text) UnmarshalJSON(from []byte) error {
	var plain string
	if json.Unmarshal(from, &plain) == nil {
		*t = text(plain)
		return nil
	}
	var coded struct{ Base64 []byte }
	err := json.Unmarshal(from, &coded)
	*t = text(coded.Base64)
	return err
}

func (t text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(object{"base64": base64.StdEncoding.EncodeToString([]byte(t))})
}

type object map[string]interface{}

type request struct {
	ID                                    json.RawMessage
	Op                                    string
	Addresses                             []string
	DeadlineMs, TTLMs                     int64
	User, Password, Token, CaFile         string
	Key, Start, End, Prefix, Value        text
	Revision, StartRevision, Limit, Delta int64
	PageSize                              int32
	IfModRevision                         *int64
	IfAbsent, IfPresent, Reverse          bool
	KeysOnly, IncludeCurrent              bool
	Lease, Name, As                       string
	Events                                int
	Compares                              []compare
	Guards                                []string
	Success, Failure                      []request
}

type compare struct {
	Key         text
	Exists      *bool
	ModRevision *int64
	Value       *text
}

type held interface {
	Guard() kelp.Compare
	Done() <-chan struct{}
	Release(context.Context) error
}

type watch struct {
	mutex   sync.Mutex
	watch   *kelp.Watch
	pending []object
}

type driver struct {
	mutex   sync.Mutex
	client  *kelp.Client
	leases  map[string]*kelp.Lease
	watches map[string]*watch
	held    map[string]held
}

func main() {
	d := &driver{leases: map[string]*kelp.Lease{}, watches: map[string]*watch{}, held: map[string]held{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	var output sync.Mutex
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		answer := func() {
			told := object{"id": asked.ID}
			if ok, err := d.do(asked); err != nil {
				told["error"] = toldError(err)
			} else {
				told["ok"] = ok
			}
			line, err := json.Marshal(told)
			if err != nil {
				panic(err)
			}
			output.Lock()
			defer output.Unlock()
			os.Stdout.Write(append(line, '\n'))
		}
		switch asked.Op {
		// What follows needs them.
		case "open", "watch", "endWatch":
			answer()
		default:
			go answer()
		}
	}
	d.close()
}

func toldError(err error) object {
	var failure *kelp.Error
	if !errors.As(err, &failure) {
		return object{"code": "driver", "message": err.Error(), "mayHaveTakenEffect": false}
	}
	told := object{"code": failure.Code, "message": failure.Message, "mayHaveTakenEffect": failure.MayHaveTakenEffect}
	if failure.Code == kelp.ConditionFailed {
		told["currentModRevision"] = failure.CurrentModRevision()
	}
	if failure.RetryAfter > 0 {
		told["retryAfterMs"] = failure.RetryAfter.Milliseconds()
	}
	return told
}

func (d *driver) close() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.client != nil {
		d.client.Close()
	}
	d.client = nil
}

func (d *driver) open(r request) error {
	d.close()
	options := kelp.Options{Addresses: r.Addresses, Deadline: time.Duration(r.DeadlineMs) * time.Millisecond}
	if r.Token != "" {
		options.Credentials = kelp.Token(r.Token)
	} else if r.User != "" {
		options.Credentials = kelp.Password(r.User, r.Password)
	}
	if r.CaFile != "" {
		pem, err := os.ReadFile(r.CaFile)
		if err != nil {
			return err
		}
		options.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		options.TLS.RootCAs.AppendCertsFromPEM(pem)
	}
	client, err := kelp.Open(options)
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.client = client
	return err
}

func (d *driver) do(r request) (object, error) {
	if r.Op == "open" {
		return object{}, d.open(r)
	}
	ctx := context.Background()
	if r.DeadlineMs > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(r.DeadlineMs)*time.Millisecond)
		defer cancel()
	}
	ttl := time.Duration(r.TTLMs) * time.Millisecond
	d.mutex.Lock()
	client, lease, heldOne, watched := d.client, d.leases[r.Name], d.held[r.As], d.watches[r.Name]
	d.mutex.Unlock()
	if client == nil {
		return nil, errors.New("there is no client")
	}
	switch r.Op {
	case "close":
		d.close()
		return object{}, nil
	case "get":
		var options []kelp.GetOption
		if r.Revision != 0 {
			options = append(options, kelp.AtRevision(r.Revision))
		}
		got, err := client.Get(ctx, string(r.Key), options...)
		return object{"entry": toldEntry(got.Entry), "revision": got.Revision}, err
	case "put":
		options := conditions(r)
		if ttl != 0 {
			options = append(options, kelp.WithTTL(ttl))
		}
		if r.Lease != "" {
			d.mutex.Lock()
			options = append(options, kelp.WithLease(d.leases[r.Lease].ID))
			d.mutex.Unlock()
		}
		revision, err := client.Put(ctx, string(r.Key), []byte(r.Value), options...)
		return object{"revision": revision}, err
	case "delete":
		did, err := client.Delete(ctx, string(r.Key), conditions(r)...)
		return object{"deleted": did.Deleted, "revision": did.Revision}, err
	case "increment":
		did, err := client.Increment(ctx, string(r.Key), r.Delta)
		return object{"value": strconv.FormatInt(did.Value, 10), "revision": did.Revision}, err
	case "scan":
		keys := kelp.Range{Prefix: string(r.Prefix), Start: string(r.Start), End: string(r.End)}
		scan := client.Scan(ctx, keys, kelp.ScanOptions{Limit: r.Limit, PageSize: r.PageSize, Revision: r.Revision,
			Reverse: r.Reverse, KeysOnly: r.KeysOnly})
		entries := []object{}
		for scan.Next() {
			entries = append(entries, object{"key": text(scan.Entry().Key), "value": text(scan.Entry().Value)})
		}
		return object{"entries": entries}, scan.Err()
	case "txn":
		return d.txn(ctx, client, r)
	case "lease":
		made, err := client.Grant(ctx, ttl)
		if err == nil {
			made.KeepAlive()
			d.mutex.Lock()
			d.leases[r.Name] = made
			d.mutex.Unlock()
		}
		return object{}, err
	case "leaseLost":
		<-lease.Done()
		return object{}, nil
	case "revoke":
		return object{}, lease.Revoke(ctx)
	case "watch":
		asked := kelp.WatchRequest{StartRevision: r.StartRevision, IncludeCurrent: r.IncludeCurrent}
		if r.Key != "" || r.Prefix != "" {
			asked.Ranges = []kelp.Range{{Prefix: string(r.Prefix), Key: string(r.Key)}}
		}
		d.mutex.Lock()
		d.watches[r.Name] = &watch{watch: client.Watch(context.Background(), asked)}
		d.mutex.Unlock()
		return object{}, nil
	case "next":
		events, err := watched.next(r.Events)
		return object{"events": events}, err
	case "endWatch":
		watched.watch.Close()
		return object{}, nil
	case "lock":
		lock, err := client.Lock(ctx, r.Name, ttl)
		if err != nil {
			return nil, err
		}
		return d.holds(r.As, lock, lock.Token)
	case "elect":
		value, err := json.Marshal(r.Value)
		if err != nil {
			return nil, err
		}
		lead, err := client.Elect(ctx, r.Name, value, ttl)
		if err != nil {
			return nil, err
		}
		return d.holds(r.As, lead, lead.Token)
	case "unlock", "resign":
		return object{}, heldOne.Release(ctx)
	case "lockLost":
		<-heldOne.Done()
		return object{}, nil
	case "leader":
		leaders := client.Leaders(ctx, r.Name)
		defer leaders.Close()
		for leaders.Next() {
			if leader := leaders.Leader(); leader != nil {
				return object{"value": json.RawMessage(leader.Value), "token": leader.Token}, nil
			}
		}
		return nil, leaders.Err()
	}
	return nil, errors.New("there is no op " + r.Op)
}

func (d *driver) holds(as string, what held, token int64) (object, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.held[as] = what
	return object{"token": token}, nil
}

func conditions(r request) []kelp.WriteOption {
	switch {
	case r.IfModRevision != nil:
		return []kelp.WriteOption{kelp.IfRevision(*r.IfModRevision)}
	case r.IfAbsent:
		return []kelp.WriteOption{kelp.IfAbsent()}
	case r.IfPresent:
		return []kelp.WriteOption{kelp.IfPresent()}
	}
	return nil
}

func toldEntry(entry *kelp.Entry) interface{} {
	if entry == nil {
		return nil
	}
	return object{"key": text(entry.Key), "value": text(entry.Value), "modRevision": entry.ModRevision,
		"createRevision": entry.CreateRevision, "version": entry.Version}
}

func (d *driver) txn(ctx context.Context, client *kelp.Client, r request) (object, error) {
	txn := client.Txn()
	for _, each := range r.Compares {
		key := string(each.Key)
		switch {
		case each.Exists != nil:
			txn.If(kelp.Exists(key, *each.Exists))
		case each.ModRevision != nil:
			txn.If(kelp.ModRevisionIs(key, *each.ModRevision))
		case each.Value != nil:
			txn.If(kelp.ValueIs(key, []byte(*each.Value)))
		}
	}
	d.mutex.Lock()
	for _, name := range r.Guards {
		txn.If(d.held[name].Guard())
	}
	d.mutex.Unlock()
	did, err := txn.Then(ops(r.Success)...).Else(ops(r.Failure)...).Commit(ctx)
	if err != nil {
		return nil, err
	}
	ran := r.Failure
	if did.Succeeded {
		ran = r.Success
	}
	results := []object{}
	for index, each := range did.Results {
		told := object{}
		switch ran[index].Op {
		case "get":
			told["entry"] = toldEntry(each.Entry)
		case "delete":
			told["deleted"] = each.Deleted
		case "increment":
			told["value"] = strconv.FormatInt(each.Value, 10)
		}
		results = append(results, told)
	}
	return object{"succeeded": did.Succeeded, "revision": did.Revision, "results": results}, nil
}

func ops(asked []request) []kelp.Op {
	var made []kelp.Op
	for _, each := range asked {
		key := string(each.Key)
		switch each.Op {
		case "put":
			made = append(made, kelp.OpPut(key, []byte(each.Value)))
		case "get":
			made = append(made, kelp.OpGet(key))
		case "delete":
			made = append(made, kelp.OpDelete(key))
		case "increment":
			made = append(made, kelp.OpIncrement(key, each.Delta))
		}
	}
	return made
}

func (w *watch) next(count int) ([]object, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for len(w.pending) < count && w.watch.Next() {
		message := w.watch.Message()
		for _, each := range message.Entries {
			w.pending = append(w.pending, object{"type": "current", "key": text(each.Key), "value": text(each.Value), "revision": each.ModRevision})
		}
		for _, each := range message.Events {
			told := object{"type": each.Type, "key": text(each.Entry.Key), "revision": message.Revision}
			if each.Type == kelp.EventPut {
				told["value"] = text(each.Entry.Value)
			}
			w.pending = append(w.pending, told)
		}
	}
	if len(w.pending) < count {
		if err := w.watch.Err(); err != nil {
			return nil, err
		}
		return nil, errors.New("the watch was ended")
	}
	events := w.pending[:count]
	w.pending = w.pending[count:]
	return events, nil
}
