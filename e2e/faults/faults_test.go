//go:build linux

package faults

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// TestFaultBackendDown has a backend go away, and come back.
func TestFaultBackendDown(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s := newSender(t, protocol)
			s.begin()
			s.turn()
			down, _, _ := outage(t)
			s.backend.down()
			wait(t, down)
			waiting, err := s.telemetryOf("otelcol_exporter_queue_size")
			require.NoError(t, err)
			disk := s.diskUsage()
			status := fmt.Sprintf("proc/%d/status", s.PID())
			own, mapped := harness.FirstNumber(t, "/", status, "RssAnon:"), harness.FirstNumber(t, "/", status, "RssFile:")
			back := time.Now()
			s.backend.up()
			s.arrives()
			t.Logf("down for %v: %.0f bytes in the queue, %d KiB of disk; %.0f KiB of memory of its own, %.0f KiB of files; all there %v after the return",
				down, waiting, disk>>10, own, mapped, time.Since(back).Round(100*time.Millisecond))
			harness.Eventually(t, "disk is given back", func() error {
				if now := s.diskUsage(); now >= disk {
					return fmt.Errorf("%d bytes of %d are still taken", now, disk)
				}
				return nil
			})
			s.ends()
		})
	}
}

// TestFaultBackendSlow has a backend take a second for each request.
func TestFaultBackendSlow(t *testing.T) {
	t.Parallel()
	s := newSender(t, "otlp_grpc")
	s.begin()
	s.turn()
	s.backend.does(func(x *exchange) {
		if x.linger(time.Second) {
			x.deliver()
			x.acknowledge()
		}
	})
	s.scrapes(30)
	s.backend.does(nil)
	s.arrives()
	s.ends()
}

// TestFaultBackendRefuses has a backend answer that it has too much to do, with and without a time to come again, and that it is not there.
func TestFaultBackendRefuses(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s := newSender(t, protocol)
			s.begin()
			s.turn()
			s.backend.does(func(x *exchange) {
				switch x.n % 4 {
				case 1:
					x.refuse(http.StatusTooManyRequests, time.Second)
				case 3:
					x.refuse(http.StatusServiceUnavailable, 0)
				default:
					x.deliver()
					x.acknowledge()
				}
			})
			harness.Eventually(t, "some are refused", func() error {
				if n, m := s.backend.count("429"), s.backend.count("503"); n < 2 || m < 2 {
					return fmt.Errorf("%d times with 429, %d with 503", n, m)
				}
				return nil
			})
			s.backend.does(nil)
			s.arrives()
			s.ends()
		})
	}
}

// TestFaultBackendRejects has a backend answer with errors that OTLP does not let a sender try again after. What was in these requests is
// lost, counted and said; what was not arrives.
func TestFaultBackendRejects(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s := newSender(t, protocol)
			s.begin()
			s.turn()
			rejected, requests, points := newLedger(), 0, 0
			reject := func(x *exchange) (status int) {
				s.backend.mu.Lock()
				defer s.backend.mu.Unlock()
				requests++
				status = map[int]int{2: http.StatusInternalServerError, 4: http.StatusUnauthorized}[requests]
				if status != 0 {
					md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(x.payload)
					s.backend.errs = append(s.backend.errs, err)
					rejected.enter(md)
					points += md.DataPointCount()
				}
				return status
			}
			s.backend.does(func(x *exchange) {
				if x.read() && strings.Contains(strings.ToLower(x.r.URL.Path), "metrics") {
					if status := reject(x); status != 0 {
						x.refuse(status, 0)
						return
					}
				}
				x.deliver()
				x.acknowledge()
			})
			s.scrapes(20)
			s.stopTurning()
			harness.Eventually(t, "all but what was rejected", func() error {
				return s.backend.look(func(l *ledger) error {
					got, want := l.turned()+rejected.turned(), s.total()-float64(s.from.Load())
					if got != want {
						return fmt.Errorf("%v of %v", got, want)
					}
					return nil
				})
			})
			harness.Eventually(t, "they are counted", func() error {
				failed, err := s.telemetryOf("otelcol_exporter_send_failed_metric_points")
				if err == nil && failed != float64(points) {
					err = fmt.Errorf("%v points of %d", failed, points)
				}
				return err
			})
			assert.Positive(t, points)
			assert.Equal(t, 2, strings.Count(s.Output(), "Dropping data"))
			s.ends()
		})
	}
}

// TestFaultBackendDies has a backend die in the middle of requests, in the middle of answers, and never answer.
func TestFaultBackendDies(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s := newSender(t, protocol)
			s.begin()
			s.turn()
			s.backend.does(func(x *exchange) {
				switch x.n % 8 {
				case 1, 5:
					x.cutRequest()
				case 3:
					x.deliver()
					x.cutResponse()
				case 6:
					x.linger(harness.Timeout)
				default:
					x.deliver()
					x.acknowledge()
				}
			})
			harness.Eventually(t, "it died often enough", func() error {
				if n, m := s.backend.count("cut"), s.backend.count("given up"); n < 6 || m < 1 {
					return fmt.Errorf("cut off %d times, given up %d times", n, m)
				}
				return nil
			})
			s.backend.does(nil)
			s.arrives()
			s.ends()
		})
	}
}
