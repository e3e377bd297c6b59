package kelp

import (
	"context"

	kelpv1 "kelp/gen/go/kelp/v1"
)

// Compare is a condition of a transaction.
type Compare struct{ message *kelpv1.Compare }

func compare(key string, fill func(*kelpv1.Compare)) Compare {
	made := &kelpv1.Compare{Relation: kelpv1.Relation_RELATION_EQUAL}
	if text, bytes := keyOf(key); bytes == nil {
		made.Subject = &kelpv1.Compare_Key{Key: text}
	} else {
		made.Subject = &kelpv1.Compare_KeyBytes{KeyBytes: bytes}
	}
	fill(made)
	return Compare{made}
}

// Exists holds when the key exists, or does not.
func Exists(key string, exists bool) Compare {
	return compare(key, func(c *kelpv1.Compare) { c.Operand = &kelpv1.Compare_Exists{Exists: exists} })
}

// ValueIs holds when the key has this value.
func ValueIs(key string, value []byte) Compare {
	return compare(key, func(c *kelpv1.Compare) { c.Operand = &kelpv1.Compare_Value{Value: value} })
}

// ModRevisionIs holds when the key was written last at this revision; 0: when it does not exist.
func ModRevisionIs(key string, revision int64) Compare {
	return compare(key, func(c *kelpv1.Compare) { c.Operand = &kelpv1.Compare_ModRevision{ModRevision: revision} })
}

// CreateRevisionIs holds when the key was created at this revision; 0: when it does not exist.
func CreateRevisionIs(key string, revision int64) Compare {
	return compare(key, func(c *kelpv1.Compare) { c.Operand = &kelpv1.Compare_CreateRevision{CreateRevision: revision} })
}

// Op is an operation of a transaction.
type Op struct {
	message *kelpv1.Operation
	err     *Error
}

// OpGet reads a key.
func OpGet(key string) Op {
	get := &kelpv1.GetOperation{}
	get.Key, get.KeyBytes = keyOf(key)
	return Op{message: &kelpv1.Operation{Operation: &kelpv1.Operation_Get{Get: get}}}
}

// OpPut writes a key. Of the options it takes WithTTL and WithLease: conditions are the transaction's.
func OpPut(key string, value []byte, options ...WriteOption) Op {
	w := writtenOf(options)
	put := &kelpv1.PutOperation{Value: value, Ttl: w.ttl, LeaseId: w.leaseID}
	put.Key, put.KeyBytes = keyOf(key)
	made := Op{message: &kelpv1.Operation{Operation: &kelpv1.Operation_Put{Put: put}}}
	if w.condition != nil {
		made.err = invalid("a put of a transaction takes no condition: give it to If")
	}
	return made
}

// OpDelete deletes a key, if it exists.
func OpDelete(key string) Op {
	del := &kelpv1.DeleteOperation{}
	del.Key, del.KeyBytes = keyOf(key)
	return Op{message: &kelpv1.Operation{Operation: &kelpv1.Operation_Delete{Delete: del}}}
}

// OpIncrement adds to a number.
func OpIncrement(key string, delta int64) Op {
	increment := &kelpv1.IncrementOperation{Delta: delta}
	increment.Key, increment.KeyBytes = keyOf(key)
	return Op{message: &kelpv1.Operation{Operation: &kelpv1.Operation_Increment{Increment: increment}}}
}

// Txn is a transaction that is being put together.
type Txn struct {
	client  *Client
	request *kelpv1.TxnRequest
	err     *Error
}

// Txn begins one:
//
//	result, err := client.Txn().
//		If(kelp.ValueIs("state", []byte("new"))).
//		Then(kelp.OpPut("state", []byte("old")), kelp.OpIncrement("changes", 1)).
//		Else(kelp.OpGet("state")).
//		Commit(ctx)
func (c *Client) Txn() *Txn { return &Txn{client: c, request: &kelpv1.TxnRequest{}} }

// If adds conditions, all of which must hold for Then to run.
func (t *Txn) If(compares ...Compare) *Txn {
	for _, each := range compares {
		t.request.Compares = append(t.request.Compares, each.message)
	}
	return t
}

// Then adds operations that run when all conditions hold.
func (t *Txn) Then(ops ...Op) *Txn {
	t.request.Success = append(t.request.Success, t.messages(ops)...)
	return t
}

// Else adds operations that run when one does not.
func (t *Txn) Else(ops ...Op) *Txn {
	t.request.Failure = append(t.request.Failure, t.messages(ops)...)
	return t
}

func (t *Txn) messages(ops []Op) []*kelpv1.Operation {
	var made []*kelpv1.Operation
	for _, each := range ops {
		made = append(made, each.message)
		if t.err == nil {
			t.err = each.err
		}
	}
	return made
}

// TxnResult is what a transaction did.
type TxnResult struct {
	// Succeeded is whether all conditions held, and so which operations ran.
	Succeeded bool
	// Revision that the writes took; without a write that of the store.
	Revision int64
	// Results, one for each operation that ran.
	Results []OpResult
}

// OpResult is what an operation did: Entry of a get, Deleted of a delete, Value of an increment.
type OpResult struct {
	Entry   *Entry
	Deleted bool
	Value   int64
}

// Commit runs the transaction: all of it in one revision, or nothing.
func (t *Txn) Commit(ctx context.Context) (TxnResult, error) {
	if t.err != nil {
		return TxnResult{}, t.err
	}
	reply := &kelpv1.TxnResponse{}
	err := t.client.write(ctx, "KvService/Txn", t.request, reply)
	made := TxnResult{Succeeded: reply.Succeeded, Revision: reply.Revision}
	for _, each := range reply.Results {
		made.Results = append(made.Results, OpResult{
			Entry: entryOf(each.GetGet().GetEntry()), Deleted: each.GetDelete().GetDeleted(), Value: each.GetIncrement().GetValue()})
	}
	return made, err
}
