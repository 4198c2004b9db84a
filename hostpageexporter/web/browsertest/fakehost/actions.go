package fakehost

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// actions are what people have asked for.
type actions struct {
	mu           sync.Mutex
	silences     []object
	acknowledged []string
}

// actionRoutes are the routes of silences and acknowledgements, if there are any.
func (s *Server) actionRoutes() {
	if !s.options.Actions {
		return
	}
	a := &s.actions
	s.mux.HandleFunc("GET /api/silences", func(w http.ResponseWriter, _ *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		list := a.silences
		if list == nil {
			list = []object{}
		}
		reply(w, object{"version": 1, "possible": true, "silences": list})
	})
	s.mux.HandleFunc("POST /api/silences", func(w http.ResponseWriter, r *http.Request) {
		var body object
		if json.NewDecoder(r.Body).Decode(&body) != nil || body["by"] == "" {
			w.WriteHeader(http.StatusBadRequest)
			reply(w, object{"version": 1, "error": "say who asks for it: others will want to know"})
			return
		}
		length, _ := time.ParseDuration(fmt.Sprint(body["for"]))
		a.mu.Lock()
		defer a.mu.Unlock()
		body["id"], body["to"] = fmt.Sprintf("%016x", len(a.silences)+1), s.now()+length.Milliseconds()
		a.silences = append(a.silences, body)
		w.WriteHeader(http.StatusCreated)
		reply(w, object{"version": 1, "silence": body})
	})
	s.mux.HandleFunc("DELETE /api/silences/{id}", func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		var left []object
		for _, x := range a.silences {
			if x["id"] != r.PathValue("id") {
				left = append(left, x)
			}
		}
		a.silences = left
		reply(w, object{"version": 1})
	})
	s.mux.HandleFunc("POST /api/alerts/{id}/acknowledge", func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.acknowledged = append(a.acknowledged, r.PathValue("id"))
		reply(w, object{"version": 1})
	})
}

// Acknowledged are the IDs of the alerts that somebody has acknowledged.
func (s *Server) Acknowledged() []string {
	s.actions.mu.Lock()
	defer s.actions.mu.Unlock()
	return append([]string(nil), s.actions.acknowledged...)
}

// Silences are those that somebody has made, as they were asked for.
func (s *Server) Silences() []map[string]any {
	s.actions.mu.Lock()
	defer s.actions.mu.Unlock()
	return append([]object(nil), s.actions.silences...)
}
