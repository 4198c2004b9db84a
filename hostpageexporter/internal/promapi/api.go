package promapi

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// Prefix is what the routes begin with: the address of the data source, and Prometheus' own path.
const Prefix = "/prometheus/api/v1/"

const (
	// timeout bounds the time that a query may take.
	timeout = 20 * time.Second
	// lookback is how old a sample may be that still counts, where the series has not ended.
	lookback = 5 * time.Minute
	// maxPoints is how many points a series of an answer may have, as in Prometheus.
	maxPoints = 11_000
	// maxBody bounds the body of a request.
	maxBody = 64 << 10
)

// API answers the routes. One query runs at a time: others wait.
type API struct {
	store   func() *history.Store
	now     func() time.Time
	version string

	parser  parser.Parser
	engine  *promql.Engine
	running chan struct{}

	mu    sync.Mutex
	index *index
}

// New returns the routes of a store; store may return nil while there is none. version is the agent's.
func New(store func() *history.Store, now func() time.Time, version string) *API {
	p := parser.NewParser(parser.Options{})
	return &API{
		store: store, now: now, version: version, parser: p, running: make(chan struct{}, 1),
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples: maxSamples, Timeout: timeout, LookbackDelta: lookback, EnableAtModifier: true, EnableNegativeOffset: true, Parser: p,
			NoStepSubqueryIntervalFn: func(int64) int64 { return (15 * time.Second).Milliseconds() },
		}),
	}
}

// request is a request that is being answered.
type request struct {
	*API
	*http.Request
	querier *querier
}

// failure is an error with its type in Prometheus' API and its HTTP status.
type failure struct {
	status int
	kind   string
	error
}

func badData(err error) error { return failure{http.StatusBadRequest, "bad_data", err} }

// ServeHTTP answers a route below Prefix.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := strings.TrimPrefix(r.URL.Path, Prefix)
	routes := map[string]func(*request) (any, error){
		"query": (*request).query, "query_range": (*request).queryRange, "labels": (*request).labelNames, "series": (*request).seriesList,
		"metadata": (*request).metadata, "status/buildinfo": (*request).buildinfo,
	}
	answer := routes[route]
	if name, found := strings.CutPrefix(route, "label/"); found && strings.HasSuffix(name, "/values") {
		answer = func(q *request) (any, error) { return q.labelValues(strings.TrimSuffix(name, "/values")) }
	}
	if answer == nil {
		write(w, nil, failure{http.StatusNotFound, "not_found", errors.New("there is no such route")})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		write(w, nil, badData(err))
		return
	}
	store := a.store()
	if store == nil {
		write(w, nil, failure{http.StatusServiceUnavailable, "unavailable", errors.New("the page has stopped")})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	select {
	case a.running <- struct{}{}:
		defer func() { <-a.running }()
	case <-ctx.Done():
		write(w, nil, failure{http.StatusServiceUnavailable, "timeout", errors.New("other queries run: try again")})
		return
	}
	now := a.now()
	q := &querier{store: store, index: a.indexOf(store, now), from: now.Add(-lookback).UnixMilli(), to: now.UnixMilli()}
	data, err := answer(&request{API: a, Request: r.WithContext(ctx), querier: q})
	write(w, data, err)
}

// indexOf returns the series by their labels, made again when series have come or gone.
func (a *API) indexOf(store *history.Store, now time.Time) *index {
	a.mu.Lock()
	defer a.mu.Unlock()
	name, generation, tables, groups := store.Name(), store.Generation(), store.NewestTable() != 0, store.HasControlGroups()
	if x := a.index; x == nil || x.store != name || x.generation != generation || x.hasTables != tables || x.hasGroups != groups {
		a.index = newIndex(store, now)
	}
	return a.index
}

func write(w http.ResponseWriter, data any, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		f := failure{http.StatusUnprocessableEntity, "execution", err}
		_ = errors.As(err, &f)
		w.WriteHeader(f.status)
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "error", "errorType": f.kind, "error": f.Error()})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
}

func (r *request) time(name string, absent time.Time) (time.Time, error) {
	text := r.Form.Get(name)
	if text == "" {
		return absent, nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(f) < 1e11 {
		return time.UnixMilli(int64(math.Round(f * 1000))), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, badData(errors.New(name + ": it must be seconds since 1970 or RFC 3339"))
	}
	return t, nil
}

func (r *request) query() (any, error) {
	at, err := r.time("time", r.now())
	if err != nil {
		return nil, err
	}
	q, err := r.engine.NewInstantQuery(r.Context(), r.querier, nil, r.Form.Get("query"), at)
	return r.run(q, err)
}

func (r *request) queryRange() (any, error) {
	now := r.now()
	start, err := r.time("start", now.Add(-time.Hour))
	if err != nil {
		return nil, err
	}
	end, err := r.time("end", now)
	if err != nil {
		return nil, err
	}
	step, err := r.step()
	switch {
	case err != nil:
		return nil, err
	case end.Before(start):
		return nil, badData(errors.New("end is before start"))
	case end.Sub(start)/step > maxPoints:
		return nil, badData(errors.New("more than 11,000 points a series: ask for a longer step"))
	}
	q, err := r.engine.NewRangeQuery(r.Context(), r.querier, nil, r.Form.Get("query"), start, end, step)
	return r.run(q, err)
}

func (r *request) step() (time.Duration, error) {
	text := r.Form.Get("step")
	if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 0.001 && f < 1e9 {
		return time.Duration(f * float64(time.Second)), nil
	}
	if d, err := model.ParseDuration(text); err == nil && d >= model.Duration(time.Millisecond) {
		return time.Duration(d), nil
	}
	return 0, badData(errors.New("step: it must be seconds, or a duration such as 15s"))
}

// result is that of a query, in Prometheus' JSON.
type result struct {
	Type  string `json:"resultType"`
	Value any    `json:"result"`
}

type vectorItem struct {
	Metric labels.Labels `json:"metric"`
	Value  pair          `json:"value"`
}

type matrixItem struct {
	Metric labels.Labels `json:"metric"`
	Values []pair        `json:"values"`
}

// pair is a time in milliseconds and a value, written as [seconds, "value"].
type pair struct {
	t int64
	v string
}

// MarshalJSON writes the pair.
func (p pair) MarshalJSON() ([]byte, error) {
	b := append([]byte{'['}, strconv.FormatFloat(float64(p.t)/1000, 'f', -1, 64)...)
	return append(append(append(b, ',', '"'), p.v...), '"', ']'), nil
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// run runs a query and puts its result into Prometheus' JSON.
func (r *request) run(q promql.Query, err error) (any, error) {
	if err != nil {
		return nil, badData(err)
	}
	defer q.Close()
	res := q.Exec(r.Context())
	if res.Err != nil {
		if timeoutError := promql.ErrQueryTimeout(""); errors.As(res.Err, &timeoutError) {
			return nil, failure{http.StatusServiceUnavailable, "timeout", res.Err}
		}
		return nil, res.Err
	}
	switch v := res.Value.(type) {
	case promql.Vector:
		out := make([]vectorItem, 0, len(v))
		for _, s := range v {
			out = append(out, vectorItem{s.Metric, pair{s.T, number(s.F)}})
		}
		return result{"vector", out}, nil
	case promql.Matrix:
		out := make([]matrixItem, 0, len(v))
		for _, s := range v {
			item := matrixItem{Metric: s.Metric, Values: make([]pair, 0, len(s.Floats))}
			for _, p := range s.Floats {
				item.Values = append(item.Values, pair{p.T, number(p.F)})
			}
			out = append(out, item)
		}
		return result{"matrix", out}, nil
	case promql.Scalar:
		return result{"scalar", pair{v.T, number(v.V)}}, nil
	default:
		return nil, badData(errors.New("a query for text has no answer here"))
	}
}

// selectors are the parameters match[].
func (r *request) selectors(required bool) ([][]*labels.Matcher, error) {
	texts := r.Form["match[]"]
	if len(texts) == 0 && required {
		return nil, badData(errNoSelector)
	}
	sets, err := r.parser.ParseMetricSelectors(texts)
	if err != nil {
		return nil, badData(err)
	}
	if len(sets) == 0 {
		sets = [][]*labels.Matcher{nil}
	}
	start, err := r.time("start", time.UnixMilli(r.querier.from))
	if err != nil {
		return nil, err
	}
	end, err := r.time("end", time.UnixMilli(r.querier.to))
	if err != nil {
		return nil, err
	}
	r.querier.from, r.querier.to = start.UnixMilli(), end.UnixMilli()
	return sets, nil
}

// each collects texts over the selectors, each once, in order.
func (r *request) each(f func(...*labels.Matcher) ([]string, error)) (any, error) {
	sets, err := r.selectors(false)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, matchers := range sets {
		texts, err := f(matchers...)
		if err != nil {
			return nil, err
		}
		out = append(out, texts...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (r *request) labelNames() (any, error) {
	return r.each(func(matchers ...*labels.Matcher) ([]string, error) {
		texts, _, err := r.querier.LabelNames(r.Context(), nil, matchers...)
		return texts, err
	})
}

func (r *request) labelValues(name string) (any, error) {
	if !model.UTF8Validation.IsValidLabelName(name) {
		return nil, badData(errors.New("not a name of a label"))
	}
	return r.each(func(matchers ...*labels.Matcher) ([]string, error) {
		texts, _, err := r.querier.LabelValues(r.Context(), name, nil, matchers...)
		return texts, err
	})
}

func (r *request) seriesList() (any, error) {
	sets, err := r.selectors(true)
	if err != nil {
		return nil, err
	}
	out := []labels.Labels{}
	for _, matchers := range sets {
		found, err := r.querier.labelSets(matchers)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, labels.Compare)
	return slices.CompactFunc(out, labels.Equal), nil
}

func (r *request) metadata() (any, error) {
	type item struct {
		Type string `json:"type"`
		Help string `json:"help"`
		Unit string `json:"unit"`
	}
	out := map[string][]item{}
	for name, m := range r.querier.index.metrics {
		if wanted := r.Form.Get("metric"); wanted == "" || wanted == name {
			out[name] = []item{{m.kind, m.help, m.unit}}
		}
	}
	return out, nil
}

func (r *request) buildinfo() (any, error) {
	return map[string]string{"version": r.version, "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": ""}, nil
}
