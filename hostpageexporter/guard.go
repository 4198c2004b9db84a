package hostpageexporter

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/promapi"
)

// guard stands before everything else, authentication and routing included.
//
// A page of another site can let its own name point to 127.0.0.1, and its scripts then count as of one origin with this page (DNS
// rebinding). What such a request can't hide is the name, in its Host header. An IP address there is no name that somebody else can point
// anywhere.
type guard struct {
	names   map[string]bool
	policy  string
	next    http.Handler
	refused func(ctx context.Context, why string)
}

func newGuard(cfg *Config, next http.Handler, refused func(context.Context, string)) *guard {
	g := &guard{names: map[string]bool{"localhost": true}, next: next, refused: refused}
	for _, name := range cfg.AllowedHosts {
		g.names[canonicalHost(name)] = true
	}
	if host, _, err := net.SplitHostPort(cfg.ServerConfig.NetAddr.Endpoint); err == nil && host != "" {
		g.names[canonicalHost(host)] = true
	}
	ancestors := "'none'"
	if len(cfg.FrameAncestors) > 0 {
		ancestors = strings.Join(cfg.FrameAncestors, " ")
	}
	g.policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors " +
		ancestors + "; base-uri 'none'; form-action 'none'"
	return g
}

// ServeHTTP refuses what was not asked for by a name of this server, and what would change something else than actions may.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", g.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if !g.allows(r.Host) {
		g.refused(r.Context(), "host")
		h.Set("Content-Length", "0")
		w.WriteHeader(http.StatusForbidden)
		return
	}
	// Grafana sends its queries as forms.
	form := r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, promapi.Prefix)
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !form && !isAction(r) {
		h.Set("Allow", "GET, HEAD")
		writeError(w, http.StatusMethodNotAllowed, "only GET and HEAD are possible")
		return
	}
	g.next.ServeHTTP(w, r)
}

// isAction tells whether a request is for a route that changes something: api_actions.go says who may.
func isAction(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost:
		return r.URL.Path == "/api/silences" || strings.HasPrefix(r.URL.Path, "/api/alerts/")
	case http.MethodDelete:
		return strings.HasPrefix(r.URL.Path, "/api/silences/")
	default:
		return false
	}
}

// allows tells whether a Host header names this server.
func (g *guard) allows(header string) bool {
	host := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		host = h
	}
	host = canonicalHost(host)
	if _, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")); err == nil {
		return true
	}
	return g.names[host]
}

func canonicalHost(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
