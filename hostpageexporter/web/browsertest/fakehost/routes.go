package fakehost

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func (s *Server) routes() {
	if s.options.Page != nil {
		s.mux.Handle("/", http.FileServerFS(s.options.Page))
	}
	s.mux.HandleFunc("/api/meta", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.meta()) })
	s.mux.HandleFunc("/api/range", s.valuesOverTime)
	s.mux.HandleFunc("/api/stream", s.stream)
	s.mux.HandleFunc("/api/processes", func(w http.ResponseWriter, r *http.Request) { reply(w, s.Processes(s.instant(r, "at", s.now()))) })
	s.mux.HandleFunc("/api/groups", func(w http.ResponseWriter, r *http.Request) { reply(w, s.Groups(s.instant(r, "at", s.now()))) })
	s.mux.HandleFunc("/api/alerts", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.alerts()) })
	s.mux.HandleFunc("/api/changes", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.changes()) })
	s.actionRoutes()
	s.mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, object{"version": 1, "status": "ok", "now": s.now(), "checks": []object{{"name": "scrapes", "status": "ok", "message": "1 axis, the newest 0.3 s old"}}})
	})
}

type object = map[string]any

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}

func (s *Server) instant(r *http.Request, name string, fallback int64) int64 {
	text := r.URL.Query().Get(name)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if d, err := time.ParseDuration(text); err == nil {
		return s.now() + d.Milliseconds()
	}
	return fallback
}

func (s *Server) meta() object {
	now := s.now()
	metrics := []object{}
	for _, m := range s.metrics {
		list := []object{}
		for _, x := range m.series {
			values := x.values
			if values == nil {
				values = []any{}
			}
			list = append(list, object{"id": x.id, "resource": 0, "axis": 0, "values": values})
		}
		attributes := m.attributes
		if attributes == nil {
			attributes = []string{}
		}
		metrics = append(metrics, object{"name": m.name, "unit": m.unit, "value_unit": m.valueUnit, "kind": m.kind, "description": "", "attributes": attributes, "series": list})
	}
	return object{
		"version": 1, "store": store, "generation": 1, "now": now, "started": now - 3_600_000,
		"host":          object{"host.name": s.name("web1", "web1"+Markup), "os.type": "linux", "os.description": "Debian GNU/Linux 12"},
		"agent":         object{"name": "fakehost", "version": "0"},
		"tiers":         []object{{"every": 1000, "keep": 3600000, "from": now - 3_600_000, "complete": true}},
		"process_tiers": []object{}, "memory": object{"limit": 50331648, "used": 8123456},
		"limits":   object{"series": 20000, "series_refused": 0, "viewers": 8, "width": 4000, "cells": 2000000},
		"features": object{"processes": true, "alerts": true, "command_lines": false, "groups": s.options.Groups > 0, "actions": s.options.Actions}, "resources": []object{},
		"axes":    []object{{"axis": 0, "interval": 1000, "first": now - 3_600_000, "last": now}},
		"metrics": metrics,
		"rules": []object{{"rule": "cpu", "metric": "system.cpu.utilization", "unit": "1", "resource": object{}, "attributes": object{
			"alert.threshold": 0.95, "alert.severity": "critical", "alert.comparison": ">",
		}}},
	}
}

func (s *Server) asked(r *http.Request) []*series {
	var out []*series
	list := r.URL.Query()["series"]
	for _, m := range s.metrics {
		for i := range m.series {
			if has(list, m.name) || has(list, strconv.Itoa(m.series[i].id)) {
				out = append(out, &m.series[i])
			}
		}
	}
	return out
}

func (s *Server) valuesOverTime(w http.ResponseWriter, r *http.Request) {
	to := min(s.instant(r, "to", s.now()), s.now()+1)
	from := s.instant(r, "from", to-3_600_000)
	width, err := strconv.ParseInt(r.URL.Query().Get("width"), 10, 64)
	if err != nil || width < 1 || width > 4000 || from >= to {
		w.WriteHeader(http.StatusBadRequest)
		reply(w, object{"version": 1, "error": "width is 0: it must be from 1 to 4000"})
		return
	}
	step := int64(0)
	if (to-from)/1000 > width {
		step = ((to-from)/width/1000 + 1) * 1000
	}
	answer := object{"version": 1, "store": store, "from": from, "to": to, "tier": 0, "step": step}
	group := object{"axis": 0}
	distance := max(step, 1000)
	var times []int64
	for t := (from + distance - 1) / distance * distance; t < to; t += distance {
		times = append(times, t)
	}
	if step > 0 {
		group["axis"] = -1
	}
	group["times"] = times
	list := []object{}
	for _, x := range s.asked(r) {
		list = append(list, x.over(times, step))
	}
	group["series"] = list
	answer["groups"] = []object{group}
	reply(w, answer)
}

func (x *series) over(times []int64, step int64) object {
	out := object{"id": x.id}
	avg, lo, hi := make([]any, len(times)), make([]any, len(times)), make([]any, len(times))
	for i, t := range times {
		if step == 0 {
			if v, ok := x.at(t); ok {
				avg[i] = round(v)
			}
			continue
		}
		sum, n, least, most := 0.0, 0, math.Inf(1), math.Inf(-1)
		for u := t; u < t+step; u += max(1000, step/30) {
			if v, ok := x.at(u); ok {
				sum, n, least, most = sum+v, n+1, math.Min(least, v), math.Max(most, v)
			}
		}
		if n > 0 {
			avg[i], lo[i], hi[i] = round(sum/float64(n)), round(least), round(most)
		}
	}
	out["avg"] = avg
	if step > 0 {
		out["min"], out["max"] = lo, hi
	}
	return out
}

func round(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 7, 64), 64)
	return r
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	send := func(event string, v any) bool {
		var b strings.Builder
		_ = json.NewEncoder(&b).Encode(v)
		_, err := fmt.Fprintf(w, "event: %s\ndata: %s\n", event, b.String())
		return err == nil && flush.Flush() == nil
	}
	list := s.asked(r)
	ids := make([]int, len(list))
	for i, x := range list {
		ids[i] = x.id
	}
	if !send("hello", object{"version": 1, "store": store, "now": s.now(), "generation": 1, "axes": []object{{"axis": 0, "interval": 1000, "series": ids}}}) {
		return
	}
	tick := time.NewTicker(s.options.Tick)
	defer tick.Stop()
	for {
		var t int64
		select {
		case <-r.Context().Done():
			return
		case t = <-s.options.Ticks:
		case <-tick.C:
			if s.options.Ticks != nil {
				continue
			}
			t = s.now() / 1000 * 1000
		}
		values := make([]any, len(list))
		for i, x := range list {
			if v, ok := x.at(t); ok {
				values[i] = round(v)
			}
		}
		if !send("scrape", object{"axis": 0, "t": t, "values": values}) {
			return
		}
		if t/1000%2 == 0 && !send("processes", object{"t": t}) {
			return
		}
	}
}
