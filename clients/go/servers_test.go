package kelp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"kelp"
)

// server is a process that serves a directory at an address, and can be ended and come back there. The command kelp is in the
// variable TEST_KELP, words with tabs between them.
type server struct {
	t       *testing.T
	address string
	dir     string
	flags   []string
	process *exec.Cmd
}

func startServer(t *testing.T, flags ...string) *server {
	t.Helper()
	made := &server{t: t, address: freeAddress(t), dir: t.TempDir(), flags: flags}
	t.Cleanup(func() { made.end(syscall.SIGKILL) })
	made.start()
	return made
}

// freeAddress is one that the system gives to nothing by itself while it is free.
func freeAddress(t *testing.T) string {
	t.Helper()
	for port := 11000 + os.Getpid()%800; port < 12000; port++ {
		address := net.JoinHostPort("127.0.0.1", decimal(port))
		listener, err := net.Listen("tcp", address)
		if err != nil || taken[address] {
			continue
		}
		_ = listener.Close()
		taken[address] = true
		return address
	}
	t.Fatal("no port is free")
	return ""
}

var taken = map[string]bool{}

func decimal(number int) string {
	text, _ := json.Marshal(number)
	return string(text)
}

func (s *server) start() {
	s.t.Helper()
	s.process = kelpCommand(append([]string{"serve", "--log-format=json", "--listen=" + s.address, "--data-dir=" + s.dir}, s.flags...)...)
	s.process.Stderr = os.Stderr
	output, err := s.process.StdoutPipe()
	if err == nil {
		err = s.process.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var line struct{ Msg string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "ready" {
			go func() {
				for lines.Scan() {
				}
			}()
			return
		}
	}
	s.t.Fatal("the server ended before it was ready")
}

func kelpCommand(args ...string) *exec.Cmd {
	command := strings.Split(os.Getenv("TEST_KELP"), "\t")
	made := exec.Command(command[0], append(command[1:], args...)...)
	made.Env = []string{"PATH=" + os.Getenv("PATH")}
	return made
}

func (s *server) end(signal syscall.Signal) {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(signal)
	_ = s.process.Wait()
	s.process = nil
}

func open(t *testing.T, options kelp.Options) *kelp.Client {
	t.Helper()
	client, err := kelp.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func openTo(t *testing.T, servers ...*server) *kelp.Client {
	t.Helper()
	options := kelp.Options{Deadline: 30 * time.Second}
	for _, each := range servers {
		options.Addresses = append(options.Addresses, each.address)
	}
	return open(t, options)
}

var background = context.Background()

func put(t *testing.T, client *kelp.Client, key, value string, options ...kelp.WriteOption) int64 {
	t.Helper()
	revision, err := client.Put(background, key, []byte(value), options...)
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

func wantCode(t *testing.T, err error, code kelp.Code) {
	t.Helper()
	if kelp.CodeOf(err) != code {
		t.Fatalf("%v, not %s", err, code)
	}
}
