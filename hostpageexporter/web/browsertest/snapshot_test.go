package browsertest

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASnapshotNeedsNoServer(t *testing.T) {
	url := agent(t)
	live := open(t, url)
	live.until("it is live", `document.querySelector('.state').textContent.startsWith('● live')`)
	live.until("processes are shown", `document.querySelectorAll('.processes tbody tr').length > 3`)
	untilScrapes(t, url, 8)                              // A window to save.
	res, err := http.Get(url + "snapshot.html?from=-1m") //nolint:noctx // It ends with the agent.
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "saved.html")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	saved := open(t, "file://"+file)
	if state := eval[string](saved, text(".state")); !strings.HasPrefix(state, "● saved") {
		t.Errorf("the file says %q", state)
	}
	saved.until("charts are drawn", `[...document.querySelectorAll('.plot canvas')].filter(c => c.width > 100).length > 3`)
	saved.until("processes are shown", `document.querySelectorAll('.processes tbody tr').length > 3`)
	want, got := eval[string](live, text("h1")), eval[string](saved, text("h1"))
	if want != got {
		t.Errorf("the file is of %q, the page of %q", got, want)
	}
	// Another window, the cursor by keys, the table of another moment: all without a server.
	saved.press("[", "ArrowLeft", "ArrowLeft", "+", "l")
	saved.until("values stand beside the charts", `/\d/.test(document.querySelector('#vitals').textContent)`)
	saved.noFaults()
}
