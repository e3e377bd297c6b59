// Makes the calls that it is asked to by lines of JSON, through Go's gRPC, and tells by such lines what becomes of them.
// Messages pass through as bytes: the test that asks knows what they mean.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log"
	"os"
	"sync"
	"time"
	_ "unsafe"

	"github.com/golang/protobuf/proto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Pings may come more often than every ten seconds, so that a test need not wait for them.
//
//go:linkname keepaliveMinPingTime google.golang.org/grpc/internal.KeepaliveMinPingTime
var keepaliveMinPingTime time.Duration

// An order: the first of a call names its method, the others send a message, end the sending, or cancel.
type order struct {
	ID        int
	Method    string
	Streaming bool
	Message   *[]byte
	End       bool
	Cancel    bool
	TimeoutMs int
	Gzip      bool
	Wait      bool
}

// What became of a call: a message of its reply, or its end.
type event struct {
	ID      int     `json:"id"`
	Message *[]byte `json:"message,omitempty"`
	IsDone  bool    `json:"isDone,omitempty"`
	Code    int     `json:"code"`
	Text    string  `json:"text,omitempty"`
	Status  []byte  `json:"status,omitempty"`
}

type bytesCodec struct{}

func (bytesCodec) Marshal(message interface{}) ([]byte, error) { return *message.(*[]byte), nil }
func (bytesCodec) Unmarshal(data []byte, message interface{}) error {
	*message.(*[]byte) = append([]byte{}, data...)
	return nil
}
func (bytesCodec) Name() string { return "proto" }

type call struct {
	cancel context.CancelFunc
	orders chan order
}

var output struct {
	sync.Mutex
	encoder *json.Encoder
}

func tell(what event) {
	output.Lock()
	defer output.Unlock()
	if err := output.encoder.Encode(what); err != nil {
		log.Fatal(err)
	}
}

func tellEnd(id int, err error) {
	end := event{ID: id, IsDone: true}
	if err != nil && err != io.EOF {
		outcome := status.Convert(err)
		details, failure := proto.Marshal(outcome.Proto())
		if failure != nil {
			log.Fatal(failure)
		}
		end.Code, end.Text, end.Status = int(outcome.Code()), outcome.Message(), details
	}
	tell(end)
}

func invoke(ctx context.Context, connection *grpc.ClientConn, first order, options []grpc.CallOption) {
	var reply []byte
	err := connection.Invoke(ctx, first.Method, first.Message, &reply, options...)
	if err == nil {
		tell(event{ID: first.ID, Message: &reply})
	}
	tellEnd(first.ID, err)
}

func send(stream grpc.ClientStream, next order) {
	// What goes wrong is told by the end of the stream.
	if next.Message != nil {
		_ = stream.SendMsg(next.Message)
	}
	if next.End {
		_ = stream.CloseSend()
	}
}

func stream(ctx context.Context, connection *grpc.ClientConn, first order, orders chan order, options []grpc.CallOption) {
	description := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := connection.NewStream(ctx, description, first.Method, options...)
	if err != nil {
		tellEnd(first.ID, err)
		return
	}
	go func() {
		send(stream, first)
		for {
			select {
			case next := <-orders:
				send(stream, next)
			case <-stream.Context().Done():
				return
			}
		}
	}()
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err != nil {
			tellEnd(first.ID, err)
			return
		}
		tell(event{ID: first.ID, Message: &message})
	}
}

func begin(connection *grpc.ClientConn, first order) call {
	ctx, cancel := context.WithCancel(context.Background())
	if first.TimeoutMs > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(first.TimeoutMs)*time.Millisecond)
	}
	options := []grpc.CallOption{grpc.WaitForReady(first.Wait)}
	if first.Gzip {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	begun := call{cancel: cancel, orders: make(chan order, 1000)}
	if first.Streaming {
		go stream(ctx, connection, first, begun.orders, options)
	} else {
		go invoke(ctx, connection, first, options)
	}
	return begun
}

func dial(address string, caFile string, keepaliveEvery time.Duration) *grpc.ClientConn {
	options := []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{}), grpc.MaxCallRecvMsgSize(1<<28)),
	}
	if caFile == "" {
		options = append(options, grpc.WithInsecure())
	} else {
		trusted, err := credentials.NewClientTLSFromFile(caFile, "")
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.WithTransportCredentials(trusted))
	}
	if keepaliveEvery > 0 {
		keepaliveMinPingTime = keepaliveEvery
		options = append(options, grpc.WithKeepaliveParams(
			keepalive.ClientParameters{Time: keepaliveEvery, Timeout: time.Minute, PermitWithoutStream: true}))
	}
	connection, err := grpc.Dial(address, options...)
	if err != nil {
		log.Fatal(err)
	}
	return connection
}

func main() {
	address := flag.String("address", "", "host:port of the server")
	caFile := flag.String("ca", "", "certificates to trust, as PEM; with them the connection has TLS")
	keepaliveEvery := flag.Duration("keepalive", 0, "how often a silent connection is asked for a sign of life")
	flag.Parse()
	output.encoder = json.NewEncoder(os.Stdout)
	connection := dial(*address, *caFile, *keepaliveEvery)
	calls := map[int]call{}
	decoder := json.NewDecoder(bufio.NewReader(os.Stdin))
	for {
		var next order
		if err := decoder.Decode(&next); err == io.EOF {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		known, isKnown := calls[next.ID]
		switch {
		case !isKnown:
			calls[next.ID] = begin(connection, next)
		case next.Cancel:
			known.cancel()
		default:
			known.orders <- next
		}
	}
	connection.Close()
}
