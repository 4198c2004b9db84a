package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
)

var update = flag.Bool("update", false, "write the golden files")

// server answers as an exporter did once.
func server(t *testing.T) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	for path, file := range map[string]string{"/api/meta": "meta", "/api/range": "range", "/api/processes": "processes", "/api/groups": "groups", "/api/alerts": "alerts"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFile(w, r, filepath.Join("testdata", file+".json"))
		})
	}
	return mux
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs (write it with -update):\n%s", path, got)
	}
}

func TestOnce(t *testing.T) {
	t.Setenv("TZ", "UTC")
	time.Local = time.UTC
	s := httptest.NewServer(server(t))
	defer s.Close()
	for name, arguments := range map[string][]string{
		"once":        {"-once", "-rows", "4"},
		"once-narrow": {"-once", "-width", "80", "-sort", "mem"},
		"once-tree":   {"-once", "-width", "140", "-tree"},
		"once-filter": {"-once", "-filter", "postgres"},
		"once-groups": {"-once", "-groups", "-rows", "3", "-width", "110"},
		"once-group":  {"-once", "-filter", "=/system.slice/nginx.service"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := run(t.Context(), append(arguments, s.URL), &out, io.Discard); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsRune(out.String(), '\x1b') {
				t.Error("a name steers the terminal")
			}
			golden(t, name, out.String())
		})
	}
}

func TestOnceOverUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: listener, Config: &http.Server{Handler: server(t), ReadHeaderTimeout: time.Minute}}
	s.Start()
	defer s.Close()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-once", "unix://" + path}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "processes at") {
		t.Errorf("got %s", out.String())
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"version": 1, "error": "width is 0\u001b[31m"}`)
	}))
	defer refusing.Close()
	strange := httptest.NewServer(http.NotFoundHandler())
	defer strange.Close()
	for name, c := range map[string]struct {
		arguments []string
		want      string
	}{
		"sort":    {[]string{"-sort", "size"}, `sort is "size"`},
		"scheme":  {[]string{"ftp://host"}, "it must be http://host:port"},
		"header":  {[]string{"-header", "token"}, "Name: value"},
		"refused": {[]string{"-once", refusing.URL}, "Bad Request: width is 0?[31m"},
		"strange": {[]string{"-once", strange.URL}, "404"},
		"nobody":  {[]string{"-once", "localhost:1"}, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), c.arguments, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("expected an error with %q, got %v", c.want, err)
			}
		})
	}
}

func TestHeaderIsSent(t *testing.T) {
	inner := server(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer x" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer s.Close()
	t.Setenv("HOSTTOP_HEADER", "Authorization: Bearer x")
	if err := run(t.Context(), []string{"-once", s.URL}, io.Discard, io.Discard); err != nil {
		t.Error(err)
	}
}

// contents is what stands on a screen, without the spaces at the ends of lines.
func contents(s tcell.SimulationScreen) string {
	cells, width, height := s.GetContents()
	var b strings.Builder
	for y := range height {
		var l strings.Builder
		for x := range width {
			if c := cells[y*width+x]; len(c.Runes) > 0 {
				l.WriteString(string(c.Runes))
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	return b.String()
}

func TestScreen(t *testing.T) {
	time.Local = time.UTC
	h := httptest.NewServer(server(t))
	defer h.Close()
	c, err := newClient(h.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	s := newScreen(c, options{sort: "cpu"})
	if s.snapshot, err = c.look(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	terminal := tcell.NewSimulationScreen("UTF-8")
	if err := terminal.Init(); err != nil {
		t.Fatal(err)
	}
	s.app.SetScreen(terminal)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go s.look(ctx, time.Hour)
	ended := make(chan error, 1)
	go func() { ended <- s.app.Run() }()

	see := func(want string) string {
		t.Helper()
		got := ""
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
			s.app.QueueUpdateDraw(func() { got = contents(terminal) })
			if strings.Contains(got, want) {
				return got
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("the screen never shows %q:\n%s", want, got)
		return ""
	}
	press := func(keys string) {
		for _, r := range keys {
			terminal.InjectKey(tcell.KeyRune, r, tcell.ModNone)
		}
	}
	// Run gives the terminal its usual size.
	s.app.QueueUpdate(func() { terminal.SetSize(120, 32) })
	golden(t, "screen", see(hints[len(hints)-1])) // All of them fit when it is so wide.
	press("m")
	see("by mem")
	press("f")
	see("frozen")
	press("ft")
	see("└ ")
	press("/ngin")
	if got := see("filter: ngin"); strings.Contains(got, "redis") {
		t.Errorf("the filter leaves other processes:\n%s", got)
	}
	terminal.InjectKey(tcell.KeyEnter, 0, tcell.ModNone)
	press("g")
	see("containers and services at")
	terminal.InjectKey(tcell.KeyDown, 0, tcell.ModNone)
	terminal.InjectKey(tcell.KeyEnter, 0, tcell.ModNone)
	if got := see("filter: =/system.slice/nginx.service"); strings.Contains(got, "sshd") || !strings.Contains(got, "237") {
		t.Errorf("the processes of the group are:\n%s", got)
	}
	press(" ")
	see("◆ stopped")
	press("l")
	see("● live")
	press("q")
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("q does not quit")
	}
}

func TestCtrlCQuits(t *testing.T) {
	s := newScreen(&client{}, options{sort: "cpu"})
	terminal := tcell.NewSimulationScreen("UTF-8")
	if err := terminal.Init(); err != nil {
		t.Fatal(err)
	}
	s.app.SetScreen(terminal)
	ended := make(chan error, 1)
	go func() { ended <- s.app.Run() }()
	terminal.InjectKey(tcell.KeyCtrlC, 0, tcell.ModCtrl)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Ctrl-C does not quit")
	}
}

func TestTreeKeepsEveryProcess(t *testing.T) {
	list := []process{{pid: 1, parent: 0}, {pid: 5, parent: 6}, {pid: 6, parent: 5}, {pid: 7, parent: 7}, {pid: 8, parent: 1}}
	if got := tree(list); len(got) != len(list) {
		t.Errorf("expected %d processes, got %d", len(list), len(got))
	}
}

// TestTheLastLineFits: at any width the keys that are shown are shown whole, and how to leave is always among them.
func TestTheLastLineFits(t *testing.T) {
	for _, frozen := range []map[[2]int64]int{nil, {}} {
		for width := 30; width < 200; width++ {
			s := &screen{order: arrangement{sort: "memory"}, frozen: frozen}
			shown := s.state(width).plain()
			if n := len([]rune(shown)); n > width {
				t.Errorf("%d columns on %d: %q", n, width, shown)
			}
			keys := strings.Split(shown, "  ")[1:]
			if !slices.Equal(keys, hints[:len(keys)]) || width >= 40 && len(keys) == 0 {
				t.Errorf("%d columns: %q", width, shown)
			}
		}
	}
}

// TestAnAlertSaysOfWhichProcessItIs, for a rule is often about each of many.
func TestAnAlertSaysOfWhichProcessItIs(t *testing.T) {
	s := &snapshot{}
	if err := json.Unmarshal([]byte(`{"firing": ["e"], "alerts": [{"episode": "e", "rule": "burn", "severity": "warning", "unit": "1", "value": 0.18,
		"threshold": 0.1, "comparison": ">", "attributes": {"cpu.mode": "user"},
		"resource": {"host.name": "web1", "process.pid": 2125, "process.executable.name": "yes"}}]}`), &s.alerts); err != nil {
		t.Fatal(err)
	}
	lines := firing(s, 80)
	if len(lines) != 1 || !strings.Contains(lines[0][1].text, "burn yes 2125 user  18 % > 10 %") {
		t.Errorf("got %v", lines)
	}
}
