package main

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/otlpsink"
)

// sinks are the backends: they take everything and keep nothing but counts of requests.
type sinks struct {
	grpc *otlpsink.Server
	http *httptest.Server

	mu    sync.Mutex
	taken map[string]int
}

// backends are what is taken, by a part of the gRPC method or the path.
var backends = []string{"MetricsService", "LogsService", "/api/v1/write", "/write", "/v1/metrics", "/v1/logs", "/api/v2/alerts"}

func newSinks() (*sinks, error) {
	s := &sinks{taken: map[string]int{}}
	var err error
	if s.grpc, err = otlpsink.Listen(func(method string, _ []byte) { s.count(method) }); err != nil {
		return nil, err
	}
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		s.count(r.URL.Path)
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/"):
			w.Header().Set("Content-Type", "application/x-protobuf")
		case r.URL.Path == "/api/v2/alerts":
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	return s, nil
}

func (s *sinks) stop() {
	s.grpc.Stop()
	s.http.Close()
}

func (s *sinks) count(of string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range backends {
		if of == name || strings.Contains(of, "."+name+"/") {
			s.taken[name]++
			return
		}
	}
	s.taken["unknown: "+of]++
}

// counts returns the requests so far, by backend.
func (s *sinks) counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.taken)
}
