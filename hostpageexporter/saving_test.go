package hostpageexporter

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// forgetHandoff takes what a page left for its successor in this process, as a restart does.
func forgetHandoff(p *testPage) {
	p.t.Helper()
	store, ok := handoff.Take(statestore.Owner{Kind: component.KindExporter, ID: p.page.owner.ID}, p.now())
	require.True(p.t, ok)
	store.Close()
}

func TestTheHistoryOutlivesARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	keep := func(c *Config) { c.History.Directory = dir }
	first := startAs(t, "kept", epoch, keep)
	first.fillHour()
	_, before := first.get("/api/meta")
	first.stop()
	forgetHandoff(first)

	second := startAs(t, "kept", first.now().Add(time.Minute), keep)
	_, after := second.get("/api/meta")
	require.Equal(t, before["metrics"], after["metrics"])
	require.Equal(t, before["store"], after["store"], "the numbers of series are the same")
	require.InEpsilon(t, 99, second.value(`max_over_time(system_memory_usage_bytes[61m])`), 1e-9)
	second.send(point{metric: "system.memory.usage", value: 10, attributes: map[string]any{"system.memory.state": "used"}})
	_, again := second.get("/api/meta")
	require.Len(t, at(t, again, "metrics").([]any), len(at(t, before, "metrics").([]any)))
	_, health := second.get("/health")
	require.Equal(t, "saved history", at(t, health, "checks", 2, "name"))
	second.stop()
	forgetHandoff(second)

	// A file that is damaged is moved aside, and the page begins again.
	files, err := filepath.Glob(filepath.Join(dir, "*.history"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, os.Truncate(files[0], 5000))
	third := startAs(t, "kept", second.now(), keep)
	_, meta := third.get("/api/meta")
	require.Empty(t, meta["metrics"])
	require.FileExists(t, files[0]+".unreadable")
}

// After a restart no scrape is late that an agent which has just begun can't have brought, however long it was away, and the page is not down.
func TestAfterARestartNoScrapeIsLateBeforeItsTime(t *testing.T) {
	for _, away := range []time.Duration{time.Minute, 8 * time.Hour} {
		dir := t.TempDir()
		keep := func(c *Config) { c.History.Directory = dir }
		first := startAs(t, "late", epoch, keep)
		for i := range 60 {
			first.send(point{"often", false, 1, nil})
			first.advance(time.Second / 2)
			if i%10 == 0 {
				first.send(point{"seldom", false, 1, nil})
			}
			first.advance(time.Second / 2)
		}
		first.stop()
		forgetHandoff(first)

		second := startAs(t, "late", first.now().Add(away), keep)
		status, health := second.get("/health")
		require.Equal(t, http.StatusOK, status, away)
		require.Equal(t, "no metrics have come since the start", at(t, health, "checks", 0, "message"))
		second.advance(time.Second)
		second.send(point{"often", false, 1, nil})
		_, health = second.get("/health")
		require.Equal(t, "ok", at(t, health, "checks", 0, "status"), at(t, health, "checks", 0, "message"))
		if away == time.Minute {
			require.Contains(t, at(t, health, "checks", 0, "message"), "0 of 2")
		}
		second.advance(6 * time.Minute)
		status, _ = second.get("/health")
		require.Equal(t, http.StatusServiceUnavailable, status, away)
		second.stop()
		forgetHandoff(second)
	}
}

func TestADirectoryThatCannotBeIsAnErrorAtStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "localhost:0"
	cfg.History.Directory = filepath.Join(file, "below")
	e, err := NewFactory().CreateMetrics(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), "history::directory")
	require.NoError(t, e.Shutdown(t.Context()))
}

// A disk that is full is said in /health, and costs nothing else.
func TestAHistoryThatCannotBeSaved(t *testing.T) {
	p := start(t, func(c *Config) { c.History.Directory = filepath.Join(t.TempDir(), "gone") })
	p.send(point{metric: "a", value: 1})
	require.NoError(t, os.Remove(p.cfg.History.Directory))
	p.page.saveHistory(p.page.store.Load())
	status, health := p.get("/health")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "degraded", at(t, health, "checks", 2, "status"))
	require.NoError(t, os.Mkdir(p.cfg.History.Directory, 0o700))
	p.page.saveHistory(p.page.store.Load())
	_, health = p.get("/health")
	require.Equal(t, "ok", at(t, health, "checks", 2, "status"))
}

// An alert has one episode at a time: that of before a crash has ended when another begins.
func TestAnotherEpisodeOfAnAlertEndsTheOneBefore(t *testing.T) {
	p := start(t, nil)
	fire := func(episode string) {
		p.alert("alert.state_change", map[string]any{
			"alert.id": "a", "alert.episode.id": episode, "alert.rule.name": "cpu", "alert.state": "firing", "alert.transition": "fire", "log.record.uid": episode,
			"alert.started_at": p.now().Format(time.RFC3339),
		})
		p.advance(time.Minute)
	}
	fire("one")
	fire("two")
	_, alerts := p.get("/api/alerts")
	require.Equal(t, []any{"two"}, alerts["firing"])
	require.NotNil(t, at(t, alerts, "alerts", 1, "ended"))
}
