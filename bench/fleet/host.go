package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/otlpsink"
)

// exportMetrics is the method of OTLP that takes metrics.
const exportMetrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

// host is one host of the fleet.
type host struct {
	number   int
	name, id string
	booted   time.Time
	// phase is when in the interval the host sends.
	phase   time.Duration
	trouble trouble
}

// newHosts makes a fleet whose hosts send at moments spread over the interval.
func newHosts(n int, interval time.Duration, start time.Time) []*host {
	hosts := make([]*host, n)
	for i := range hosts {
		hosts[i] = &host{
			number: i, name: fmt.Sprintf("host-%06d", i), id: fmt.Sprintf("%08x-0000-4000-8000-000000000000", i),
			booted: start.Add(-time.Hour), phase: time.Duration(i) * interval / time.Duration(n), trouble: trouble{symptom: -2},
		}
	}
	return hosts
}

// silent tells whether the host sends nothing at a time.
func (h *host) silent(now time.Time) bool {
	t := h.trouble
	return t.symptom >= 0 && symptoms[t.symptom].rule == silence && now.After(t.from) && now.Before(t.to)
}

// load sends what the hosts have to say.
type load struct {
	template *template
	hosts    []*host
	interval time.Duration
	conns    []*grpc.ClientConn
	options  []grpc.CallOption
	buffers  sync.Pool

	// Requests that were taken, their points, requests that failed, and those of which a part was refused.
	requests, points, failed, partial atomic.Int64
	// late is the longest that a host was late to send, in nanoseconds: by it the generator is too slow.
	late atomic.Int64
	// failure is the first error.
	failure atomic.Pointer[error]
}

// newLoad prepares a fleet that sends to an address, over so many connections.
func newLoad(t *template, hosts []*host, interval time.Duration, address string, connections int, compress bool) (*load, error) {
	l := &load{template: t, hosts: hosts, interval: interval, options: []grpc.CallOption{grpc.ForceCodec(otlpsink.Raw{})}}
	if compress {
		l.options = append(l.options, grpc.UseCompressor(gzip.Name))
	}
	l.buffers.New = func() any { return new([]byte) }
	for range connections {
		conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithReadBufferSize(1<<12), grpc.WithWriteBufferSize(1<<12))
		if err != nil {
			l.close()
			return nil, err
		}
		l.conns = append(l.conns, conn)
	}
	return l, nil
}

func (l *load) close() {
	for _, conn := range l.conns {
		_ = conn.Close()
	}
}

// run has every host send once an interval, from start to end, and returns when all have been answered.
func (l *load) run(ctx context.Context, start, end time.Time) {
	var all sync.WaitGroup
	for _, h := range l.hosts {
		all.Go(func() {
			for at := start.Add(h.phase); at.Before(end); at = at.Add(l.interval) {
				select {
				case <-time.After(time.Until(at)):
				case <-ctx.Done():
					return
				}
				if now := time.Now(); !h.silent(now) {
					raise(&l.late, int64(now.Sub(at)))
					l.send(ctx, h, now)
				}
			}
		})
	}
	all.Wait()
}

// send sends one request of a host. Its points bear the time at which it is made.
func (l *load) send(ctx context.Context, h *host, now time.Time) {
	buf := l.buffers.Get().(*[]byte)
	defer l.buffers.Put(buf)
	*buf = l.template.render((*buf)[:0], h, now)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var answer []byte
	err := l.conns[h.number%len(l.conns)].Invoke(ctx, exportMetrics, *buf, &answer, l.options...)
	switch {
	case err != nil:
		l.failed.Add(1)
		l.failure.CompareAndSwap(nil, &err)
	case refused(answer):
		l.partial.Add(1)
	default:
		l.requests.Add(1)
		l.points.Add(int64(len(l.template.series)))
	}
}

// refused tells whether the answer speaks of points that were not taken.
func refused(answer []byte) bool {
	response := pmetricotlp.NewExportResponse()
	return response.UnmarshalProto(answer) != nil || response.PartialSuccess().RejectedDataPoints() > 0
}

func raise(highest *atomic.Int64, v int64) {
	for old := highest.Load(); v > old; old = highest.Load() {
		if highest.CompareAndSwap(old, v) {
			return
		}
	}
}
