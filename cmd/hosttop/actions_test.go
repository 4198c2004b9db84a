package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
)

// actionServer answers as an exporter that takes actions, and remembers what was asked for.
func actionServer(t *testing.T) (*httptest.Server, chan string) {
	t.Helper()
	asked := make(chan string, 16)
	mux := server(t).(*http.ServeMux)
	note := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked <- r.Method + " " + r.URL.RequestURI() + " " + strings.TrimSpace(string(body))
		if r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusUnsupportedMediaType)
		}
		_, _ = io.WriteString(w, `{"version": 1, "silences": [{"id": "00000000000000aa", "rule": "load", "attributes": {"host.name": "web1"}, "by": "anna\u001b[31m", "comment": "why", "to": 1767268800000}]}`)
	}
	for _, pattern := range []string{"/api/silences", "DELETE /api/silences/{id}", "POST /api/alerts/{id}/acknowledge"} {
		mux.HandleFunc(pattern, note)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s, asked
}

// firstAlert is the first alert that fires in testdata.
func firstAlert(t *testing.T, base string) alert {
	t.Helper()
	c, err := newClient(base, "")
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := c.look(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.alerts.firing()[0]
}

func TestActionsOfTheCommandLine(t *testing.T) {
	time.Local = time.UTC
	s, asked := actionServer(t)
	first := firstAlert(t, s.URL)
	silence := `{"alert":"","attributes":null,"by":"anna","comment":"why","for":"30m0s","rule":"load"}`
	for name, c := range map[string]struct {
		arguments []string
		want, out string
	}{
		"a rule":      {[]string{"-silence", "load", "-for", "30m"}, "POST /api/silences " + silence, "silenced for 30m0s: rule load"},
		"an alert":    {[]string{"-silence", "alert=00aa"}, `POST /api/silences {"alert":"00aa","attributes":null,"by":"anna","comment":"why","for":"2h0m0s","rule":""}`, "alert 00aa"},
		"a group":     {[]string{"-silence", "rule=load,host.name=web1"}, `POST /api/silences {"alert":"","attributes":{"host.name":"web1"},"by":"anna","comment":"why","for":"2h0m0s","rule":"load"}`, "rule load, host.name=web1"},
		"acknowledge": {[]string{"-acknowledge", first.Rule}, "POST /api/alerts/" + first.ID + `/acknowledge {"by":"anna","comment":"why"}`, "acknowledged: "},
		"an end":      {[]string{"-end-silence", "00000000000000aa"}, "DELETE /api/silences/00000000000000aa?by=anna", ""},
		"the list":    {[]string{"-silences"}, "GET /api/silences", "00000000000000aa  rule load, host.name=web1  by anna?[31m  until 2026-01-01 12:00  why\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := run(t.Context(), append(c.arguments, "-by", "anna", "-comment", "why", s.URL), &out, io.Discard); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(<-asked); got != c.want {
				t.Errorf("expected %s, got %s", c.want, got)
			}
			if !strings.Contains(out.String(), c.out) {
				t.Errorf("expected %q, got %q", c.out, out.String())
			}
		})
	}
	for name, arguments := range map[string][]string{
		"an alert that does not fire": {"-acknowledge", "nothing"},
		"no name":                     {"-silence", "=x"},
		"two names":                   {"-silence", "a,b"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(t.Context(), append(arguments, s.URL), io.Discard, io.Discard); err == nil {
				t.Error("there is no error")
			}
			select {
			case got := <-asked:
				t.Errorf("the server was asked for %s", got)
			default:
			}
		})
	}
}

// Who gives no name is told by which flag, but only where that is what was wrong.
func TestAnActionOfNobody(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error": "say who asks for it", "version": 1}`)
	}))
	t.Cleanup(s.Close)
	err := run(t.Context(), []string{"-silence", "load", "-by", "", s.URL}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "-by NAME") {
		t.Errorf("the flag is not named: %v", err)
	}
	err = run(t.Context(), []string{"-silence", "load", "-by", "anna", s.URL}, io.Discard, io.Discard)
	if err == nil || strings.Contains(err.Error(), "-by NAME") {
		t.Errorf("the flag was there: %v", err)
	}
}

// TestFormOfAlerts: the key a asks what to do about one of the alerts, and the answer reaches the server.
func TestFormOfAlerts(t *testing.T) {
	server, asked := actionServer(t)
	first := firstAlert(t, server.URL)
	c, err := newClient(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"-by", "anna"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s := newScreen(c, o)
	s.ctx = t.Context()
	if s.snapshot, err = c.look(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	terminal := tcell.NewSimulationScreen("UTF-8")
	if err := terminal.Init(); err != nil {
		t.Fatal(err)
	}
	terminal.SetSize(120, 40)
	s.app.SetScreen(terminal)
	done := make(chan error, 1)
	go func() { done <- s.app.Run() }()
	press := func(key tcell.Key, r rune, times int) {
		for range times {
			s.app.QueueEvent(tcell.NewEventKey(key, r, tcell.ModNone))
		}
	}
	press(tcell.KeyRune, 'a', 1)
	press(tcell.KeyTab, 0, 3)
	for _, r := range "disk" {
		press(tcell.KeyRune, r, 1)
	}
	press(tcell.KeyTab, 0, 2)
	press(tcell.KeyEnter, 0, 1)
	var body map[string]any
	got := <-asked
	text, found := strings.CutPrefix(got, "POST /api/silences ")
	if !found || json.Unmarshal([]byte(text), &body) != nil || body["alert"] != first.ID || body["by"] != "anna" || body["comment"] != "disk" || body["for"] != "2h0m0s" {
		t.Errorf("the server was asked for %s", got)
	}
	s.app.QueueUpdate(func() {
		if s.form {
			t.Error("the form is still there")
		}
	})
	press(tcell.KeyRune, 'a', 1)
	press(tcell.KeyEscape, 0, 1)
	press(tcell.KeyRune, 'q', 1)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(hints, "a alerts") {
		t.Error("nobody is told of the key")
	}
}
