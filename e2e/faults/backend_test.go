package faults

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// faultyBackend takes OTLP over gRPC and over HTTP at one address, remembers what was delivered to it, and misbehaves as the test sets it.
type faultyBackend struct {
	t       *testing.T
	address string

	mu        sync.Mutex
	server    *http.Server // nil while it is down
	fault     fault
	conns     map[net.Conn]bool
	delivered map[[sha256.Size]byte]int // requests by path and content, each with how often it was delivered
	ledger    *ledger
	logs      []plog.Logs
	answers   map[string]int // by what was answered
	errs      []error
}

// fault is what becomes of a request. Without one it is delivered and acknowledged.
type fault func(x *exchange)

// exchange is one request to the backend.
type exchange struct {
	b       *faultyBackend
	w       http.ResponseWriter
	r       *http.Request
	n       int // which one it is since the fault began, from 1
	grpc    bool
	conn    net.Conn
	payload []byte
}

type connKey struct{}

func newFaultyBackend(t *testing.T) *faultyBackend {
	t.Helper()
	b := &faultyBackend{
		t: t, address: harness.FreeAddress(t), conns: make(map[net.Conn]bool), delivered: make(map[[sha256.Size]byte]int),
		answers: make(map[string]int), ledger: newLedger(),
	}
	b.up()
	t.Cleanup(func() {
		b.down()
		b.mu.Lock()
		defer b.mu.Unlock()
		require.NoError(t, errors.Join(b.errs...))
	})
	return b
}

// up has it listen, where it listened before.
func (b *faultyBackend) up() {
	b.t.Helper()
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler: http.HandlerFunc(b.serve), Protocols: &protocols, ReadHeaderTimeout: harness.Timeout,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ConnState: func(c net.Conn, state http.ConnState) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.conns[c] = true
			if state == http.StateClosed {
				delete(b.conns, c)
			}
		},
	}
	harness.Eventually(b.t, "the backend listens", func() error {
		l, err := (&net.ListenConfig{}).Listen(b.t.Context(), "tcp", b.address)
		if err == nil {
			go func() { _ = server.Serve(l) }()
		}
		return err
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.server = server
}

// down ends it at once, with all connections.
func (b *faultyBackend) down() {
	b.mu.Lock()
	server, conns := b.server, maps.Clone(b.conns)
	b.server = nil
	b.mu.Unlock()
	if server == nil {
		return
	}
	_ = server.Close()
	for c := range conns {
		_ = c.Close()
	}
}

// does has requests from now on meet a fault, or nil for none.
func (b *faultyBackend) does(f func(x *exchange)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	b.fault = nil
	if f != nil {
		b.fault = func(x *exchange) {
			b.mu.Lock()
			n++
			x.n = n
			b.mu.Unlock()
			f(x)
		}
	}
}

func (b *faultyBackend) serve(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	f := b.fault
	b.mu.Unlock()
	x := &exchange{b: b, w: w, r: r, grpc: strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")}
	x.conn, _ = r.Context().Value(connKey{}).(net.Conn)
	if f == nil {
		f = func(x *exchange) { x.deliver(); x.acknowledge() }
	}
	f(x)
}

// read takes the request off the wire. A sender that goes away meanwhile has delivered nothing.
func (x *exchange) read() bool {
	body, err := io.ReadAll(x.r.Body)
	if err != nil {
		return false
	}
	zipped := x.r.Header.Get("Content-Encoding") == "gzip"
	if x.grpc {
		const header = 5 // whether it is compressed, and the length
		if len(body) < header || int(binary.BigEndian.Uint32(body[1:])) != len(body)-header {
			return false
		}
		zipped, body = body[0] == 1, body[header:]
	}
	if zipped {
		unzipped, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			body, err = io.ReadAll(unzipped)
		}
		x.b.note(err)
	}
	x.payload = body
	return true
}

func (b *faultyBackend) note(err error) {
	if err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.errs = append(b.errs, err)
	}
}

// deliver remembers the request as a backend that has stored it.
func (x *exchange) deliver() {
	if x.payload == nil && !x.read() {
		return
	}
	b := x.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(x.payload) == 0 {
		b.answers["empty"]++ // What the queue could not write is an empty request later.
		return
	}
	key := sha256.Sum256(append([]byte(x.r.URL.Path), x.payload...))
	if b.delivered[key]++; b.delivered[key] > 1 {
		return
	}
	// A request to export is, on the wire, what it exports.
	var err error
	switch {
	case strings.Contains(strings.ToLower(x.r.URL.Path), "metrics"):
		var md pmetric.Metrics
		md, err = (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(x.payload)
		if err == nil {
			b.ledger.enter(md)
		}
	case strings.Contains(strings.ToLower(x.r.URL.Path), "logs"):
		var ld plog.Logs
		ld, err = (&plog.ProtoUnmarshaler{}).UnmarshalLogs(x.payload)
		b.logs = append(b.logs, ld)
	default:
		err = fmt.Errorf("a request to %s", x.r.URL.Path)
	}
	if err != nil {
		b.errs = append(b.errs, err)
	}
}

func (x *exchange) answered(what string) {
	x.b.mu.Lock()
	defer x.b.mu.Unlock()
	x.b.answers[what]++
}

// acknowledge answers that all is well.
func (x *exchange) acknowledge() {
	x.answered("ok")
	if !x.grpc {
		x.w.Header().Set("Content-Type", "application/x-protobuf")
		x.w.WriteHeader(http.StatusOK)
		return
	}
	x.w.Header().Set("Content-Type", "application/grpc")
	x.w.Header().Set("Trailer", "Grpc-Status")
	_, _ = x.w.Write(make([]byte, 5)) // An empty response.
	x.w.Header().Set("Grpc-Status", "0")
}

// grpcCodes are what OTLP over gRPC says in place of a status of HTTP.
var grpcCodes = map[int]int{
	http.StatusTooManyRequests: 8, http.StatusInternalServerError: 13, http.StatusServiceUnavailable: 14, http.StatusUnauthorized: 16,
}

// refuse answers with an error. With a time to wait, which is in whole seconds, the sender is asked to come again after it.
func (x *exchange) refuse(status int, wait time.Duration) {
	if x.payload == nil {
		x.read() // Whoever answers before the end of a request may break it off.
	}
	x.answered(strconv.Itoa(status))
	seconds := uint64(wait / time.Second)
	if !x.grpc {
		if wait > 0 {
			x.w.Header().Set("Retry-After", strconv.FormatUint(seconds, 10))
		}
		x.w.WriteHeader(status)
		return
	}
	code := grpcCodes[status]
	x.w.Header().Set("Content-Type", "application/grpc")
	x.w.Header().Set("Grpc-Status", strconv.Itoa(code))
	x.w.Header().Set("Grpc-Message", "refused")
	if wait > 0 {
		// google.rpc.Status with a google.rpc.RetryInfo in it.
		duration := binary.AppendUvarint([]byte{1 << 3}, seconds)
		retryInfo := protoField(1, duration)
		detail := append(protoField(1, []byte("type.googleapis.com/google.rpc.RetryInfo")), protoField(2, retryInfo)...)
		text := append([]byte{1 << 3, byte(code)}, protoField(3, detail)...)
		x.w.Header().Set("Grpc-Status-Details-Bin", base64.RawStdEncoding.EncodeToString(text))
	}
	x.w.WriteHeader(http.StatusOK)
}

// protoField is a field of a message that holds bytes.
func protoField(number int, value []byte) []byte {
	return append(binary.AppendUvarint([]byte{byte(number<<3 | 2)}, uint64(len(value))), value...)
}

// cut ends the connection as a backend that dies: where something of the answer is under way, in the middle of it.
func (x *exchange) cut() {
	x.answered("cut")
	_ = x.conn.Close()
}

// cutResponse begins to acknowledge, and is cut off.
func (x *exchange) cutResponse() {
	if x.grpc {
		x.w.Header().Set("Content-Type", "application/grpc")
		_, _ = x.w.Write(make([]byte, 3))
		_ = http.NewResponseController(x.w).Flush()
	} else {
		_, _ = x.conn.Write([]byte("HTTP/1.1 20"))
	}
	x.cut()
}

// cutRequest dies while the request is read.
func (x *exchange) cutRequest() {
	_, _ = io.ReadFull(x.r.Body, make([]byte, 100))
	x.cut()
}

// linger waits, or until the sender has gone, and tells whether it is still there.
func (x *exchange) linger(d time.Duration) bool {
	x.read() // Over HTTP/1 it shows only behind the request that the sender has gone.
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.r.Context().Done():
		x.answered("given up")
		return false
	}
}

// look reads in the ledger of what was delivered.
func (b *faultyBackend) look(at func(l *ledger) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return at(b.ledger)
}

// duplicates counts the requests that were delivered again.
func (b *faultyBackend) duplicates() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, times := range b.delivered {
		n += times - 1
	}
	return n
}

// count tells how often something was answered.
func (b *faultyBackend) count(what string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.answers[what]
}
