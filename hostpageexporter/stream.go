package hostpageexporter

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

const (
	// eventDeadline is how long a viewer may take to read an event.
	eventDeadline = 5 * time.Second
	// gather is how long a stream waits for the other parts of a scrape.
	gather = 40 * time.Millisecond
	// pulse is how often a stream writes something.
	pulse = 15 * time.Second
	// catalogueEvery is how often a stream says at most that series have come or gone.
	catalogueEvery = 5 * time.Second
	byeDeadline    = 100 * time.Millisecond
)

// stream answers with events as things come.
func (p *page) stream(w http.ResponseWriter, r *http.Request) {
	selection, err := selectionOf(r.URL.Query())
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	store := p.store.Load()
	v := p.hub.join()
	if v == nil || store == nil {
		p.refused(r.Context(), "viewers")
		w.Header().Set("Retry-After", "30")
		writeError(w, http.StatusServiceUnavailable, "there are as many viewers as there may be (viewers: "+strconv.Itoa(p.cfg.Viewers)+")")
		return
	}
	p.telemetry.HostPageViewers.Record(r.Context(), p.hub.count.Load())
	defer func() {
		p.hub.leave(v)
		p.telemetry.HostPageViewers.Record(context.WithoutCancel(r.Context()), p.hub.count.Load())
	}()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	s := &eventStream{page: p, store: store, viewer: v, selection: selection, control: http.NewResponseController(w), w: w}
	if r.Method == http.MethodHead {
		return
	}
	s.run(r.Context())
}

// eventStream is the stream of one viewer.
type eventStream struct {
	page      *page
	store     *history.Store
	viewer    *viewer
	selection history.Selection
	control   *http.ResponseController
	w         http.ResponseWriter

	b             []byte
	live          history.Live
	after         []int64
	table         int64
	generation    uint64
	resolvedAt    uint64 // The generation at which live was resolved.
	lastCatalogue time.Time
}

// run writes events until the viewer goes, does not read, or the page stops.
func (s *eventStream) run(ctx context.Context) {
	s.b = append(s.b, "retry: 2000\n\n"...)
	s.hello(s.store.Follow(s.selection))
	s.table = s.store.NewestTable()
	timer := time.NewTimer(pulse)
	defer timer.Stop()
	for {
		if !s.flush(eventDeadline) {
			return
		}
		timer.Reset(pulse)
		select {
		case <-ctx.Done():
			return
		case <-s.page.closing:
			s.bye()
			return
		case episode := <-s.viewer.alerts:
			s.alert(episode)
		case <-s.viewer.woken:
			select {
			case <-time.After(gather):
			case <-ctx.Done():
				return
			case <-s.page.closing:
				s.bye()
				return
			}
			s.news()
		case <-timer.C:
			s.b = append(s.b, ":\n\n"...)
		}
	}
}

// flush writes what has been gathered; false when the viewer does not take it.
func (s *eventStream) flush(limit time.Duration) bool {
	if len(s.b) == 0 {
		return true
	}
	if s.control.SetWriteDeadline(time.Now().Add(limit)) != nil {
		return false
	}
	_, err := s.w.Write(s.b)
	s.b = s.b[:0]
	return err == nil && s.control.Flush() == nil
}

func (s *eventStream) bye() {
	s.b = append(s.b, "event: bye\ndata: {\"reason\":\"shutdown\"}\n\n"...)
	s.flush(byeDeadline)
}

// event begins an event; its data is one line.
func (s *eventStream) event(name string) {
	s.b = append(s.b, "event: "...)
	s.b = append(s.b, name...)
	s.b = append(s.b, "\ndata: "...)
}

type helloEvent struct {
	Version    int         `json:"version"`
	Store      string      `json:"store"`
	Now        millis      `json:"now"`
	Generation uint64      `json:"generation"`
	Axes       []helloAxis `json:"axes"`
}

type helloAxis struct {
	Axis     int      `json:"axis"`
	Interval int64    `json:"interval"`
	Series   []uint32 `json:"series"`
}

// hello says which series follow, in which order.
func (s *eventStream) hello(live history.Live) {
	after := make([]int64, len(live.Axes))
	for i, a := range live.Axes { // What was seen of an axis stays seen.
		for j, old := range s.live.Axes {
			if old.ID == a.ID {
				after[i] = s.after[j]
			}
		}
	}
	s.live, s.after, s.generation, s.resolvedAt = live, after, live.Generation, live.Generation
	out := helloEvent{apiVersion, live.Store, millis(s.page.now().UnixMicro()), live.Generation, []helloAxis{}}
	for _, a := range live.Axes {
		out.Axes = append(out.Axes, helloAxis{a.ID, (a.Interval + 500) / 1000, a.Series})
	}
	s.json("hello", out)
}

func (s *eventStream) json(name string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		return
	}
	s.event(name)
	s.b = append(s.b, text...)
	s.b = append(s.b, "\n\n"...)
}

// news writes what has come since the last time.
func (s *eventStream) news() {
	scrapes, generation := s.store.Newest(s.live, s.after)
	for _, scrape := range scrapes {
		s.scrape(&scrape)
	}
	if table := s.store.NewestTable(); table > s.table {
		s.table = table
		s.event("processes")
		s.b = append(s.b, `{"t":`...)
		s.b = strconv.AppendInt(s.b, floorMillis(table), 10)
		s.b = append(s.b, "}\n\n"...)
	}
	if generation == s.generation {
		return
	}
	if generation != s.resolvedAt {
		live := s.store.Follow(s.selection)
		same := slices.EqualFunc(live.Axes, s.live.Axes, func(a, b history.LiveAxis) bool {
			return a.ID == b.ID && slices.Equal(a.Series, b.Series)
		})
		if s.resolvedAt = live.Generation; !same {
			seen := s.generation
			s.hello(live)
			s.generation = seen
		}
	}
	if now := s.page.now(); now.Sub(s.lastCatalogue) >= catalogueEvery {
		s.lastCatalogue, s.generation = now, generation
		s.event("meta")
		s.b = append(s.b, `{"generation":`...)
		s.b = strconv.AppendUint(s.b, generation, 10)
		s.b = append(s.b, "}\n\n"...)
	}
}

func (s *eventStream) scrape(scrape *history.Scrape) {
	s.event("scrape")
	s.b = append(s.b, `{"axis":`...)
	s.b = strconv.AppendInt(s.b, int64(s.live.Axes[scrape.Axis].ID), 10)
	s.b = append(s.b, `,"t":`...)
	s.b = strconv.AppendInt(s.b, floorMillis(scrape.Time), 10)
	s.b = append(s.b, `,"values":[`...)
	for i, values := range scrape.Values {
		if i > 0 {
			s.b = append(s.b, ',')
		}
		if len(values) == 1 {
			s.b = appendNumber(s.b, values[0], shortDigits)
			continue
		}
		s.b = append(s.b, '[')
		for j, v := range values {
			if j > 0 {
				s.b = append(s.b, ',')
			}
			s.b = appendNumber(s.b, v, shortDigits)
		}
		s.b = append(s.b, ']')
	}
	s.b = append(s.b, "]}\n\n"...)
}

func (s *eventStream) alert(episode string) {
	if e, ok := s.store.Episode(episode); ok {
		s.json("alert", alertOf(&e))
	}
}
