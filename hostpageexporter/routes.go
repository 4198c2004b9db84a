package hostpageexporter

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/promapi"
)

// apiVersion is that of API.md.
const apiVersion = 1

// maxAnswers is how many answers are made at once; others wait. Each takes memory, and a CPU.
const maxAnswers = 4

// routes is everything that is served, behind the guard.
func (p *page) routes(files http.Handler) http.Handler {
	mux := http.NewServeMux()
	for path, answer := range map[string]func(*answering) error{
		"/api/meta":      p.meta,
		"/api/range":     p.rangeOf,
		"/api/processes": p.processes,
		"/api/groups":    p.groups,
		"/api/alerts":    p.alerts,
		"/api/changes":   p.changes,
		"/health":        p.health,
		"/snapshot.html": p.snapshot,
	} {
		mux.Handle(path, p.handle(answer))
	}
	p.actionRoutes(mux)
	mux.HandleFunc("/api/stream", p.stream)
	mux.Handle(promapi.Prefix, promapi.New(p.store.Load, p.now, p.build.Version))
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusNotFound, "there is no such route")
	})
	mux.Handle("/", files)
	return mux
}

// answering is a request with what its answer is made of.
type answering struct {
	*http.Request
	store  *history.Store
	w      io.Writer
	header http.Header // Of the answer, until its first byte.
	status func(int)   // Sets the HTTP status, before the first byte.
}

// failure is an error that the client sees.
type failure struct {
	status  int
	message string
}

func (f failure) Error() string { return f.message }

func badRequest(message string) error { return failure{http.StatusBadRequest, message} }

// handle makes answers, in JSON if they do not say otherwise, a few at once, compressed where the client takes that.
func (p *page) handle(answer func(*answering) error) http.Handler {
	return p.handleAmong(p.busy, answer)
}

// handleAmong makes answers as handle does, as many at once as the channel has room for.
func (p *page) handleAmong(busy chan struct{}, answer func(*answering) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case busy <- struct{}{}:
			defer func() { <-busy }()
		case <-r.Context().Done():
			return
		case <-p.closing:
			return
		}
		store := p.store.Load()
		if store == nil {
			writeError(w, http.StatusServiceUnavailable, "the page has stopped")
			return
		}
		out := &lazyWriter{w: w, compress: acceptsGzip(r) && r.Method != http.MethodHead}
		err := answer(&answering{Request: r, store: store, w: out, header: w.Header(), status: func(code int) { out.code = code }})
		if err != nil && !out.begun {
			if f, ok := err.(failure); ok { //nolint:errorlint // Nothing wraps it.
				writeError(w, f.status, f.message)
			} else {
				writeError(w, http.StatusInternalServerError, "the answer could not be made")
			}
			return
		}
		out.close()
	})
}

func acceptsGzip(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
}

func writeError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"version": apiVersion, "error": message})
}

var compressors = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // The level is a valid one.
	return z
}}

// lazyWriter writes the header with the first byte, so that errors before it still can set the status.
type lazyWriter struct {
	w        http.ResponseWriter
	compress bool
	begun    bool
	code     int
	z        *gzip.Writer
}

func (l *lazyWriter) Write(b []byte) (int, error) {
	if !l.begun {
		l.begun = true
		h := l.w.Header()
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", "application/json")
		}
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Accept-Encoding")
		if l.compress {
			h.Set("Content-Encoding", "gzip")
			l.z = compressors.Get().(*gzip.Writer)
			l.z.Reset(l.w)
		}
		if l.code != 0 {
			l.w.WriteHeader(l.code)
		}
	}
	if l.z != nil {
		return l.z.Write(b)
	}
	return l.w.Write(b)
}

func (l *lazyWriter) close() {
	if l.z != nil {
		_ = l.z.Close()
		compressors.Put(l.z)
	}
}

// writeJSON answers with a value.
func (a *answering) writeJSON(v any) error { return json.NewEncoder(a.w).Encode(v) }
