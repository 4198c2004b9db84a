package hostpageexporter

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// snapshotData is what stands in a snapshot.
type snapshotData struct {
	From, To int64
	Meta     map[string]any
	Range    map[string]any
	Alerts   map[string]any
	Changes  map[string]any
	Health   map[string]any
	Tables   []map[string]any
}

func (p *testPage) snapshot(query string) (file string, data snapshotData) {
	p.t.Helper()
	res := p.request(http.MethodGet, "/snapshot.html"+query, "")
	defer shut(res.Body)
	require.Equal(p.t, http.StatusOK, res.StatusCode)
	require.Equal(p.t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
	require.Equal(p.t, `attachment; filename="web1-20260101T120100Z.html"`, res.Header.Get("Content-Disposition"))
	body, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	_, rest, found := strings.Cut(string(body), `<script type="application/json" id="snapshot">`)
	require.True(p.t, found)
	text, _, found := strings.Cut(rest, "</script>")
	require.True(p.t, found)
	require.NoError(p.t, json.Unmarshal([]byte(text), &data))
	return string(body), data
}

func TestASnapshotHasAllOfItsWindow(t *testing.T) {
	p := start(t, nil)
	hostile := `</script><script>alert(1)</script>`
	for range 60 {
		p.send(point{metric: "system.memory.usage", value: 7, attributes: map[string]any{"system.memory.state": hostile}})
		p.advance(time.Second)
	}
	p.alert("alert.state_change", map[string]any{
		"alert.id": "1", "alert.episode.id": "2", "alert.rule.name": hostile, "alert.state": "firing", "alert.transition": "fire", "alert.severity": "warning",
	})
	file, data := p.snapshot("?from=-1m&to=now")
	require.Equal(t, epoch.Add(time.Minute).UnixMilli(), data.To)
	require.Equal(t, data.To-60_000, data.From)
	require.Equal(t, hostile, at(t, data.Meta, "metrics", 0, "series", 0, "values", 0))
	require.Len(t, at(t, data.Range, "groups", 0, "times"), 60)
	require.Equal(t, hostile, at(t, data.Alerts, "alerts", 0, "rule"))
	require.Contains(t, data.Changes, "2")
	require.NotEmpty(t, at(t, data.Health, "checks"))
	require.Equal(t, 3, strings.Count(file, "</script>"), "only the file's own elements end")
	require.Contains(t, file, "default-src 'none'")
	require.NotContains(t, file, `src="`)
	require.NotContains(t, file, `href="`)
}

func TestASnapshotOfNothing(t *testing.T) {
	p := start(t, nil)
	res := p.request(http.MethodGet, "/snapshot.html?from=-1m", "")
	defer shut(res.Body)
	require.Equal(t, http.StatusOK, res.StatusCode)
}

func TestASnapshotOfAnImpossibleWindow(t *testing.T) {
	status, answer := start(t, nil).get("/snapshot.html?from=now&to=-1h")
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "from must be before to", answer["error"])
}
