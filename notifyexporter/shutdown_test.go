package notifyexporter

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/otelcol-psutil/otelcol-psutil/notifyexporter/internal/metadata"
)

// startOn starts an exporter as the Collector does.
func startOn(t *testing.T, host component.Host, text string) *notifier {
	t.Helper()
	cfg, err := configOf(t, "accept_external_records: true\nstorage: disk\ngroup_wait: 0s\n"+text)
	require.NoError(t, err)
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.MustNewID("notify")
	n, err := newNotifier(set, cfg, time.Now)
	require.NoError(t, err)
	require.NoError(t, n.Start(t.Context(), host))
	return n
}

// A message that a server is about to take when the exporter ends is not sent again after it.
func TestAReloadWhileAMessageIsOnItsWay(t *testing.T) {
	t.Parallel()
	arrived, answer := make(chan struct{}, 10), make(chan struct{})
	var got atomic.Int64
	server := newServerOf(t, func(http.ResponseWriter, request) {
		got.Add(1)
		arrived <- struct{}{}
		<-answer
	})
	host := newMemory()
	n := startOn(t, host, "channels: {mail: {type: webhook, url: '"+server.URL+"'}}")
	require.NoError(t, n.ConsumeLogs(t.Context(), disk("db1").logs()))
	<-arrived
	ended := make(chan error, 1)
	stopping := make(chan struct{})
	cancel := n.cancel
	n.cancel = func() { cancel(); close(stopping) }
	go func() { ended <- n.Shutdown(context.Background()) }()
	<-stopping
	close(answer)
	require.NoError(t, <-ended)
	n = startOn(t, host, "channels: {mail: {type: webhook, url: '"+server.URL+"'}}")
	require.NoError(t, n.ConsumeLogs(t.Context(), disk("db2").logs()))
	require.Eventually(t, func() bool { return got.Load() >= 2 }, time.Minute, 5*time.Millisecond)
	require.NoError(t, n.Shutdown(t.Context()))
	assert.EqualValues(t, 2, got.Load())
}

// A server that never answers does not keep the Collector from ending.
func TestAServerThatNeverAnswersWhileStopping(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	}))
	t.Cleanup(server.Close)
	defer close(release)
	n := startOn(t, newMemory(), "channels: {mail: {type: webhook, url: '"+server.URL+"'}}")
	require.NoError(t, n.ConsumeLogs(t.Context(), disk("db1").logs()))
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, n.Shutdown(ctx), "by the context of the shutdown")
	n = startOn(t, newMemory(), "channels: {mail: {type: webhook, url: '"+server.URL+"'}}")
	require.NoError(t, n.ConsumeLogs(t.Context(), disk("db1").logs()))
	<-arrived
	require.NoError(t, n.Shutdown(t.Context()), "by itself")
}
