package kelp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"kelp"
)

func TestKeys(t *testing.T) {
	client := openTo(t, startServer(t))
	first := put(t, client, "a", "1", kelp.IfAbsent())
	_, err := client.Put(background, "a", []byte("2"), kelp.IfAbsent())
	var failure *kelp.Error
	if !errors.As(err, &failure) || failure.Code != kelp.ConditionFailed || failure.CurrentModRevision() != first || failure.MayHaveTakenEffect {
		t.Fatal(err)
	}
	second := put(t, client, "a", "2", kelp.IfRevision(first))
	put(t, client, "a", "3", kelp.IfPresent())
	_, err = client.Put(background, "b", nil, kelp.IfPresent())
	wantCode(t, err, kelp.ConditionFailed)
	got, err := client.Get(background, "a")
	if err != nil || string(got.Entry.Value) != "3" || got.Entry.CreateRevision != first || got.Entry.Version != 3 {
		t.Fatal(got, err)
	}
	if got, err = client.Get(background, "a", kelp.AtRevision(second)); err != nil || string(got.Entry.Value) != "2" {
		t.Fatal(got, err)
	}
	if got, err = client.Get(background, "b"); err != nil || got.Entry != nil {
		t.Fatal(got, err)
	}
	put(t, client, "\xff\x00", "bytes", kelp.WithTTL(time.Hour))
	if got, err = client.Get(background, "\xff\x00"); err != nil || got.Entry.Key != "\xff\x00" || time.Until(got.Entry.ExpiresAt) <= 0 {
		t.Fatal(got, err)
	}
	if did, err := client.Increment(background, "n", 1<<62); err != nil || did.Value != 1<<62 {
		t.Fatal(did, err)
	}
	_, err = client.Increment(background, "n", 1<<62)
	wantCode(t, err, kelp.IntegerOverflow)
	_, err = client.Delete(background, "a", kelp.IfRevision(first))
	wantCode(t, err, kelp.ConditionFailed)
	if did, err := client.Delete(background, "a"); err != nil || !did.Deleted {
		t.Fatal(did, err)
	}
	if did, err := client.Delete(background, "a"); err != nil || did.Deleted {
		t.Fatal(did, err)
	}
	_, err = client.Get(background, "")
	wantCode(t, err, kelp.InvalidArgument)
	_, err = client.Delete(background, "a", kelp.WithTTL(time.Hour))
	wantCode(t, err, kelp.InvalidArgument)
}

func TestScan(t *testing.T) {
	client := openTo(t, startServer(t))
	for index := 0; index < 25; index++ {
		put(t, client, fmt.Sprintf("k/%02d", index), "v")
	}
	put(t, client, "other", "v")
	keys := func(keys kelp.Range, options kelp.ScanOptions) (found []string) {
		scan := client.Scan(background, keys, options)
		for scan.Next() {
			found = append(found, scan.Entry().Key)
			// All pages show one revision, whatever is written meanwhile.
			put(t, client, "k/99", "late")
		}
		if scan.Err() != nil {
			t.Fatal(scan.Err())
		}
		if _, err := client.Delete(background, "k/99"); err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := keys(kelp.Range{Prefix: "k/"}, kelp.ScanOptions{PageSize: 10}); len(found) != 25 || found[24] != "k/24" {
		t.Fatal(found)
	}
	found := keys(kelp.Range{Start: "k/03", End: "k/20"}, kelp.ScanOptions{PageSize: 2, Limit: 5, Reverse: true})
	if strings.Join(found, " ") != "k/19 k/18 k/17 k/16 k/15" {
		t.Fatal(found)
	}
	if found = keys(kelp.Range{Prefix: "none"}, kelp.ScanOptions{}); len(found) != 0 {
		t.Fatal(found)
	}
	scan := client.Scan(background, kelp.Range{}, kelp.ScanOptions{Limit: -1})
	if scan.Next() {
		t.Fatal("a negative limit")
	}
	wantCode(t, scan.Err(), kelp.InvalidArgument)
}

func TestScanKeepsItsRevisionWhenAPageFails(t *testing.T) {
	client := openTo(t, startServer(t))
	put(t, client, "a", "v")
	last := put(t, client, "b", "v")
	scan := client.Scan(background, kelp.Range{}, kelp.ScanOptions{PageSize: 1})
	if !scan.Next() || scan.Revision() != last {
		t.Fatal(scan.Revision(), scan.Err())
	}
	client.Close()
	if scan.Next() {
		t.Fatal(scan.Entry())
	}
	wantCode(t, scan.Err(), kelp.Closed)
	if scan.Revision() != last {
		t.Fatal(scan.Revision())
	}
}

func TestTxn(t *testing.T) {
	client := openTo(t, startServer(t))
	create := func() (kelp.TxnResult, error) {
		return client.Txn().If(kelp.Exists("a", false)).
			Then(kelp.OpPut("a", []byte("1")), kelp.OpIncrement("n", 5), kelp.OpDelete("gone")).
			Else(kelp.OpGet("a")).Commit(background)
	}
	did, err := create()
	if err != nil || !did.Succeeded || did.Results[1].Value != 5 || did.Results[2].Deleted {
		t.Fatal(did, err)
	}
	first := did.Revision
	if did, err = create(); err != nil || did.Succeeded || did.Results[0].Entry.ModRevision != first {
		t.Fatal(did, err)
	}
	did, err = client.Txn().If(kelp.ValueIs("a", []byte("1")), kelp.ModRevisionIs("a", first), kelp.CreateRevisionIs("a", first)).
		Then(kelp.OpDelete("a")).Commit(background)
	if err != nil || !did.Succeeded || !did.Results[0].Deleted {
		t.Fatal(did, err)
	}
	_, err = client.Txn().Then(kelp.OpPut("a", nil, kelp.IfAbsent())).Commit(background)
	wantCode(t, err, kelp.InvalidArgument)
}

func TestWatchOverRestarts(t *testing.T) {
	server := startServer(t)
	client := openTo(t, server)
	put(t, client, "k/0", "0")
	watch := client.Watch(background, kelp.WatchRequest{Ranges: []kelp.Range{{Prefix: "k/"}}, IncludeCurrent: true})
	defer watch.Close()
	var told []string
	read := func(count int) {
		for len(told) < count && watch.Next() {
			for _, each := range watch.Message().Entries {
				told = append(told, "current "+string(each.Value))
			}
			for _, each := range watch.Message().Events {
				told = append(told, string(each.Type)+" "+string(each.Entry.Value))
			}
		}
		if len(told) != count {
			t.Fatal(told, watch.Err())
		}
	}
	read(1)
	want := []string{"current 0"}
	for index := 1; index <= 4; index++ {
		put(t, client, "k/1", fmt.Sprint(index))
		put(t, client, "elsewhere", "")
		want = append(want, fmt.Sprint("put ", index))
		switch index % 3 {
		case 2:
			server.end(syscall.SIGKILL)
			server.start()
		case 1:
			read(len(want))
			server.end(syscall.SIGTERM)
			server.start()
		}
	}
	if _, err := client.Delete(background, "k/1"); err != nil {
		t.Fatal(err)
	}
	want = append(want, "delete ")
	read(len(want))
	if strings.Join(told, ",") != strings.Join(want, ",") {
		t.Fatal(told)
	}
}

func TestWatchSaysWhatItCanNotDo(t *testing.T) {
	server := startServer(t)
	client := openTo(t, server)
	put(t, client, "k", "1")
	last := put(t, client, "k", "2")
	if output, err := kelpCommand("--address="+server.address, "compact", fmt.Sprint(last)).CombinedOutput(); err != nil {
		t.Fatal(string(output), err)
	}
	watch := client.Watch(background, kelp.WatchRequest{StartRevision: 1})
	if watch.Next() {
		t.Fatal(watch.Message())
	}
	wantCode(t, watch.Err(), kelp.RevisionCompacted)

	other := &kelp.Position{Revision: 1, StoreID: strings.Repeat("0", 32)}
	watch = client.Watch(background, kelp.WatchRequest{After: other})
	if watch.Next() {
		t.Fatal(watch.Message())
	}
	wantCode(t, watch.Err(), kelp.OtherStore)

	watch = client.Watch(background, kelp.WatchRequest{After: other, RestartWhenLost: true})
	defer watch.Close()
	for _, kind := range []kelp.Kind{kelp.Restarted, kelp.Current, kelp.Synced} {
		if !watch.Next() || watch.Message().Kind != kind {
			t.Fatal(watch.Message(), watch.Err())
		}
		if position := watch.Position(); (position != nil) != (kind == kelp.Synced) {
			t.Fatal(kind, position)
		}
	}
}

func TestWatchGoesOnBehindAPosition(t *testing.T) {
	server := startServer(t)
	client := openTo(t, server)
	put(t, client, "k", "1")
	watch := client.Watch(background, kelp.WatchRequest{IncludeCurrent: true})
	defer watch.Close()
	if watch.Position() != nil {
		t.Fatal(watch.Position())
	}
	if !watch.Next() || watch.Message().Kind != kelp.Current || watch.Message().Revision == 0 || watch.Position() != nil {
		t.Fatal("not all present entries have come: ", watch.Message(), watch.Position(), watch.Err())
	}
	if !watch.Next() || watch.Message().Kind != kelp.Synced || watch.Position() == nil {
		t.Fatal(watch.Message(), watch.Position(), watch.Err())
	}
	toEvents := func(watch *kelp.Watch, revision int64) {
		t.Helper()
		for watch.Next() && watch.Message().Kind == kelp.Progress {
		}
		if message := watch.Message(); message == nil || message.Kind != kelp.Events || message.Revision != revision {
			t.Fatal(message, watch.Err())
		}
		if at := watch.Position(); at.Revision != revision || at.Incarnation == "" || at.StoreID == "" {
			t.Fatal(at)
		}
	}
	toEvents(watch, put(t, client, "k", "2"))
	saved := watch.Position()
	watch.Close()
	for watch.Next() {
	}
	if at := watch.Position(); *at != *saved {
		t.Fatal(at)
	}
	third := put(t, client, "k", "3")
	server.end(syscall.SIGKILL)
	server.start()
	next := openTo(t, server).Watch(background, kelp.WatchRequest{IncludeCurrent: true, After: saved})
	defer next.Close()
	if at := next.Position(); *at != *saved {
		t.Fatal(at)
	}
	toEvents(next, third)
}

func TestCallsOverRestarts(t *testing.T) {
	server := startServer(t)
	client := openTo(t, server)
	put(t, client, "k", "0")
	for round := 0; round < 2; round++ {
		server.end([]syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}[round])
		done := make(chan error, 2)
		go func() { _, err := client.Get(background, "k"); done <- err }()
		// Nothing of it is sent while there is no server: it is repeated, too.
		go func() { _, err := client.Put(background, "k", []byte("1")); done <- err }()
		server.start()
		for range []int{1, 2} {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
	server.end(syscall.SIGKILL)
	ctx, cancel := context.WithTimeout(background, 300*time.Millisecond)
	defer cancel()
	_, err := client.Put(ctx, "k", nil)
	var failure *kelp.Error
	if !errors.As(err, &failure) || failure.Code != kelp.Unavailable || failure.MayHaveTakenEffect {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(background)
	cancel()
	_, err = client.Get(canceled, "k")
	wantCode(t, err, kelp.Canceled)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	client.Close()
	_, err = client.Get(background, "k")
	wantCode(t, err, kelp.Closed)
}

func TestLostAnswer(t *testing.T) {
	server := startServer(t)
	client := openTo(t, server)
	put(t, client, "k", "0")
	// The process stands still, and takes the request all the same: its system does.
	_ = server.process.Process.Signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(background, time.Second)
	defer cancel()
	_, err := client.Put(ctx, "k", []byte("1"))
	var failure *kelp.Error
	if !errors.As(err, &failure) || failure.Code != kelp.DeadlineExceeded || !failure.MayHaveTakenEffect {
		t.Fatal(err)
	}
}

func TestLease(t *testing.T) {
	server := startServer(t)
	client := openTo(t, server)
	lease, err := client.Grant(background, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	lease.KeepAlive()
	put(t, client, "mine", "", kelp.WithLease(lease.ID))
	// One that is not kept alive ends meanwhile.
	left, err := client.Grant(background, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	revision := put(t, client, "left", "", kelp.WithLease(left.ID))
	watch := client.Watch(background, kelp.WatchRequest{Ranges: []kelp.Range{{Key: "left"}}, StartRevision: revision + 1})
	defer watch.Close()
	for watch.Next() && len(watch.Message().Events) == 0 {
	}
	if watch.Err() != nil || left.Remaining() != 0 {
		t.Fatal(watch.Err(), left.Remaining())
	}
	if got, err := client.Get(background, "mine"); err != nil || got.Entry == nil || got.Entry.LeaseID != lease.ID || lease.Remaining() == 0 {
		t.Fatal(got, err)
	}
	server.end(syscall.SIGKILL)
	<-lease.Done()
	wantCode(t, lease.Err(), kelp.Unavailable)
	server.start()
	other, err := client.Grant(background, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	other.KeepAlive()
	put(t, client, "other", "", kelp.WithLease(other.ID))
	if err = other.Revoke(background); err != nil || other.Remaining() != 0 {
		t.Fatal(err)
	}
	if got, err := client.Get(background, "other"); err != nil || got.Entry != nil {
		t.Fatal(got, err)
	}
	wantCode(t, other.Renew(background), kelp.LeaseNotFound)
	select {
	case <-other.Done():
		t.Fatal("a lease that was revoked is not lost")
	default:
	}
	_, err = client.Put(background, "other", nil, kelp.WithLease(other.ID))
	wantCode(t, err, kelp.LeaseNotFound)
}

func TestLeaseThatIsLeftAloneIsFreed(t *testing.T) {
	client := openTo(t, startServer(t))
	const count = 1000
	objects := func() int64 {
		for index := 0; index < count; index++ {
			if _, err := client.Grant(background, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapObjects)
	}
	before := objects()
	if more := objects() - before; more > count/2 {
		t.Fatal(more, "objects stay of ", count, " leases")
	}
}

func TestLeaseThatIsClosedIsNotKeptAlive(t *testing.T) {
	client := openTo(t, startServer(t))
	lease, err := client.Grant(background, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	lease.Close()
	lease.KeepAlive().Close()
	revision := put(t, client, "left", "", kelp.WithLease(lease.ID))
	watch := client.Watch(background, kelp.WatchRequest{Ranges: []kelp.Range{{Key: "left"}}, StartRevision: revision + 1})
	defer watch.Close()
	for watch.Next() && len(watch.Message().Events) == 0 {
	}
	if watch.Err() != nil || lease.Remaining() != 0 || lease.Err() != nil {
		t.Fatal(watch.Err(), lease.Remaining(), lease.Err())
	}
}

func TestSecurity(t *testing.T) {
	authority, err := os.ReadFile(os.Getenv("TEST_CA"))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(authority)
	get := func(credentials *kelp.Credentials, config *tls.Config, key string) error {
		client := open(t, kelp.Options{Addresses: []string{os.Getenv("TEST_CLOSED")}, TLS: config, Credentials: credentials})
		_, err := client.Get(background, key)
		return err
	}
	right := kelp.Password("user", os.Getenv("TEST_PASSWORD"))
	if err = get(right, config, "own/a"); err != nil {
		t.Fatal(err)
	}
	if err = get(kelp.Token(os.Getenv("TEST_TOKEN")), config, "own/a"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, get(right, config, "other"), kelp.PermissionDenied)
	wantCode(t, get(kelp.Password("user", "another word"), config, "own/a"), kelp.Unauthenticated)
	wantCode(t, get(nil, config, "own/a"), kelp.Unauthenticated)
	began := time.Now()
	wantCode(t, get(right, &tls.Config{}, "own/a"), kelp.Unavailable)
	if took := time.Since(began); took > 9*time.Second {
		t.Fatal("a certificate that is not trusted does not pass by itself, and was tried again for ", took)
	}

	calls := 0
	renewed := kelp.CredentialsFunc(func(context.Context) (*kelp.Credentials, error) {
		if calls++; calls == 1 {
			return kelp.Token("kelp_gone"), nil
		}
		return right, nil
	})
	client := open(t, kelp.Options{Addresses: []string{os.Getenv("TEST_CLOSED")}, TLS: config, Credentials: renewed})
	for range []int{1, 2} {
		if _, err = client.Get(background, "own/a"); err != nil || calls != 2 {
			t.Fatal(calls, err)
		}
	}
	failing := kelp.CredentialsFunc(func(context.Context) (*kelp.Credentials, error) { return nil, errors.New("no token yet") })
	wantCode(t, get(failing, config, "own/a"), kelp.Unauthenticated)
	_, err = kelp.Open(kelp.Options{Addresses: []string{"192.0.2.1:7379"}, Credentials: right})
	wantCode(t, err, kelp.InvalidArgument)
}

func TestTwoAddresses(t *testing.T) {
	// No cluster: which one is asked shows by what it has.
	one, other := startServer(t), startServer(t)
	put(t, openTo(t, one), "name", "one")
	put(t, openTo(t, other), "name", "other")
	client := openTo(t, one, other)
	name := func() string {
		got, err := client.Get(background, "name")
		if err != nil {
			t.Fatal(err)
		}
		return string(got.Entry.Value)
	}
	servers := map[string]*server{"one": one, "other": other}
	first := name()
	for range []int{1, 2, 3} {
		if name() != first {
			t.Fatal("calls go to one server while it serves")
		}
	}
	servers[first].end(syscall.SIGKILL)
	second := name()
	if second == first {
		t.Fatal(second)
	}
	servers[first].start()
	if name() != second {
		t.Fatal("the first one took over again")
	}
	servers[second].end(syscall.SIGTERM)
	if name() != first {
		t.Fatal("it does not go back")
	}
	if _, err := kelp.Open(kelp.Options{}); kelp.CodeOf(err) != kelp.InvalidArgument {
		t.Fatal(err)
	}
}

func TestLockAndElection(t *testing.T) {
	client := openTo(t, startServer(t))
	first, err := client.Lock(background, "locks/a", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := client.TryLock(background, "locks/a", 0); err != nil || second != nil {
		t.Fatal(second, err)
	}
	ctx, cancel := context.WithTimeout(background, 300*time.Millisecond)
	defer cancel()
	if _, err = client.Lock(ctx, "locks/a", 0); kelp.CodeOf(err) != kelp.DeadlineExceeded {
		t.Fatal(err)
	}
	next := make(chan *kelp.Held)
	go func() {
		lock, err := client.Lock(background, "locks/a", 0)
		if err != nil {
			t.Error(err)
		}
		next <- lock
	}()
	guarded := func(lock *kelp.Held) bool {
		did, err := client.Txn().If(lock.Guard()).Then(kelp.OpPut("register", []byte(fmt.Sprint(lock.Token)))).Commit(background)
		if err != nil {
			t.Fatal(err)
		}
		return did.Succeeded
	}
	if !guarded(first) || !first.IsHeld() {
		t.Fatal("it is held")
	}
	if err = first.Release(background); err != nil {
		t.Fatal(err)
	}
	if err = first.Release(background); err != nil || first.IsHeld() {
		t.Fatal(err)
	}
	second := <-next
	if second.Token <= first.Token || guarded(first) || !guarded(second) {
		t.Fatal(first.Token, second.Token)
	}
	select {
	case <-first.Done():
		t.Fatal("what was given back is not lost")
	case <-second.Done():
		t.Fatal(second.Err())
	default:
	}
	_, err = client.Lock(background, "a/~b", 0)
	wantCode(t, err, kelp.InvalidArgument)

	leaders := client.Leaders(background, "jobs")
	defer leaders.Close()
	wantLeader := func(value string) {
		t.Helper()
		if !leaders.Next() {
			t.Fatal(leaders.Err())
		}
		if leader := leaders.Leader(); (leader == nil) != (value == "") || leader != nil && string(leader.Value) != value {
			t.Fatal(leader)
		}
	}
	wantLeader("")
	lead, err := client.Elect(background, "jobs", []byte(`"one"`), 0)
	if err != nil {
		t.Fatal(err)
	}
	wantLeader(`"one"`)
	if err = lead.Proclaim(background, []byte(`"two"`)); err != nil {
		t.Fatal(err)
	}
	wantLeader(`"two"`)
	if err = lead.Resign(background); err != nil {
		t.Fatal(err)
	}
	wantLeader("")
	wantCode(t, lead.Proclaim(background, []byte(`"three"`)), kelp.LeaseNotFound)
}

func TestIsHeldDoesNotWaitForRelease(t *testing.T) {
	server := startServer(t)
	client := openTo(t, server)
	held, err := client.Lock(background, "locks/a", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	_ = server.process.Process.Signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(background, 30*time.Second)
	defer cancel()
	released := make(chan error, 1)
	go func() { released <- held.Release(ctx) }()
	for held.IsHeld() {
		time.Sleep(time.Millisecond)
	}
	select {
	case err = <-released:
		t.Fatal("it is told only when Release has returned: ", err)
	default:
	}
	cancel()
	if <-released == nil {
		t.Fatal("a server that stands still answers")
	}
}
