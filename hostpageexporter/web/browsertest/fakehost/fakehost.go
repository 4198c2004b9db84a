// Package fakehost answers as the exporter does, with made data: a host whose values are a function of time, so that every test and every
// screenshot sees the same. It is for tests of the page and of hosttop.
package fakehost

import (
	"io/fs"
	"math"
	"net/http"
	"strings"
	"time"
)

// Options say what the made host is like.
type Options struct {
	CPUs, Disks, Processes int
	// Groups is how many containers and services there are.
	Groups int
	// Facts adds what else the kernel counts; Faults makes some of it happen.
	Facts, Faults bool
	// Hostile gives processes, mounts and alerts names that would do harm as markup.
	Hostile bool
	// Actions takes silences and acknowledgements.
	Actions bool
	// Page are the files of the page; nil serves none.
	Page fs.FS
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Tick is how often the stream has a scrape; 0 is a second.
	Tick time.Duration
	// Ticks, if it is set, says when the stream has a scrape, and of which time in milliseconds, in place of Tick.
	Ticks <-chan int64
}

type series struct {
	id     int
	values []any
	at     func(t int64) (float64, bool)
}

type metric struct {
	name, unit, valueUnit, kind string
	attributes                  []string
	series                      []series
}

// Server is the made host.
type Server struct {
	options Options
	metrics []metric
	byID    map[int]*series
	mux     *http.ServeMux
	actions actions
}

const store = "fa4e57032e000001"

// New makes the host.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Tick == 0 {
		o.Tick = time.Second
	}
	s := &Server{options: o, byID: map[int]*series{}, mux: http.NewServeMux()}
	s.metrics = s.host()
	id := 0
	for m := range s.metrics {
		for i := range s.metrics[m].series {
			id++
			s.metrics[m].series[i].id = id
			s.byID[id] = &s.metrics[m].series[i]
		}
	}
	s.routes()
	return s
}

// CSP is the content security policy of the exporter.
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP answers with the exporter's headers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", CSP)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	s.mux.ServeHTTP(w, r)
}

func (s *Server) now() int64 { return s.options.Now().UnixMilli() }

// wave is a smooth function of time between 0 and 1 with bursts, of its own for each seed.
func wave(seed int, t int64) float64 {
	x := float64(t%86_400_000) / 1000
	k := float64(seed)*1.618 + 1
	slow := 0.5 + 0.5*math.Sin(x/(97+13*math.Mod(k, 7))+k)
	quick := 0.5 + 0.5*math.Sin(x/(5+math.Mod(k*3, 4))+2*k)
	noise := hash(seed, t/1000)
	v := 0.55*slow*slow + 0.15*quick*slow + 0.2*noise*slow
	if hash(seed+77, t/1000/20) > 0.93 {
		v += 0.45 * hash(seed+5, t/1000)
	}
	return math.Min(v, 1)
}

func hash(seed int, n int64) float64 {
	x := uint64(n)*0x9E3779B97F4A7C15 + uint64(seed)*0xBF58476D1CE4E5B9
	x ^= x >> 31
	x *= 0x94D049BB133111EB
	x ^= x >> 29
	return float64(x%1_000_003) / 1_000_003
}

func (s *Server) name(plain, hostile string) string {
	if s.options.Hostile {
		return hostile
	}
	return plain
}

// Markup is in the names of a hostile host.
const Markup = `<img src=x onerror="document.title='owned'">`

func has(list []string, name string) bool {
	for _, l := range list {
		for part := range strings.SplitSeq(l, ",") {
			if part == name {
				return true
			}
		}
	}
	return false
}
