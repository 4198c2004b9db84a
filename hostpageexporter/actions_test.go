package hostpageexporter

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confignet"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertaction"
)

// taker is an alert component that takes what people ask for.
type taker struct {
	mu       sync.Mutex
	silences map[string]alertaction.Silence
	acks     []alertaction.Acknowledgement
}

func (k *taker) Silence(s alertaction.Silence) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.silences[s.ID] = s
	return nil
}

func (k *taker) EndSilence(id, _ string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, known := k.silences[id]; !known {
		return alertaction.ErrUnknownSilence
	}
	delete(k.silences, id)
	return nil
}

func (k *taker) Silences() []alertaction.Silence {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []alertaction.Silence
	for _, s := range k.silences {
		out = append(out, s)
	}
	return out
}

func (k *taker) Acknowledge(a alertaction.Acknowledgement) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a.Alert != "00000000000000aa" {
		return alertaction.ErrUnknownAlert
	}
	k.acks = append(k.acks, a)
	return nil
}

func (k *taker) acknowledged() []alertaction.Acknowledgement {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.acks)
}

// socketPage is a page on a unix socket, and a client of it.
func socketPage(t *testing.T) (*testPage, func(method, path, body string, header http.Header) (int, map[string]any)) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "page.sock")
	p := start(t, func(cfg *Config) {
		cfg.ServerConfig.NetAddr.Transport, cfg.ServerConfig.NetAddr.Endpoint = confignet.TransportTypeUnix, socket
	})
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return p, func(method, path, body string, header http.Header) (int, map[string]any) {
		return askAt(t, &http.Client{Transport: transport, Timeout: time.Minute}, "http://localhost", method, path, body, header)
	}
}

func askAt(t *testing.T, client *http.Client, base, method, path, body string, header http.Header) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	maps.Copy(r.Header, header)
	answer, err := client.Do(r)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var out map[string]any
	if len(text) > 0 {
		require.NoError(t, json.Unmarshal(text, &out), "%s", text)
	}
	return answer.StatusCode, out
}

func offer(t *testing.T) *taker {
	t.Helper()
	k := &taker{silences: map[string]alertaction.Silence{}}
	t.Cleanup(alertaction.Offer(k))
	return k
}

func TestSilenceByAPerson(t *testing.T) {
	k := offer(t)
	p, ask := socketPage(t)
	status, answer := ask(http.MethodPost, "/api/silences",
		`{"rule":"load","attributes":{"host.name":"web1"},"for":"2h","by":"anna","comment":"a disk is being changed"}`, nil)
	require.Equal(t, http.StatusCreated, status, answer)
	silence := answer["silence"].(map[string]any)
	assert.Equal(t, "anna", silence["by"])
	assert.InDelta(t, float64(p.now().Add(2*time.Hour).UnixMilli()), silence["to"], 1)
	require.Len(t, k.Silences(), 1)
	s := k.Silences()[0]
	assert.Equal(t, alertaction.Silence{
		ID: s.ID, Rule: "load", Group: map[string]string{"host.name": "web1"}, By: "anna", Comment: "a disk is being changed", From: p.now(), To: p.now().Add(2 * time.Hour),
	}, s)

	status, answer = ask(http.MethodGet, "/api/silences", "", nil)
	require.Equal(t, http.StatusOK, status)
	assert.Equal(t, true, answer["possible"])
	assert.Len(t, answer["silences"], 1)

	status, _ = ask(http.MethodDelete, "/api/silences/"+s.ID+"?by=bert", "", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Empty(t, k.Silences())
	status, _ = ask(http.MethodDelete, "/api/silences/"+s.ID, "", nil)
	assert.Equal(t, http.StatusNotFound, status)
}

func TestAcknowledgeByAPerson(t *testing.T) {
	k := offer(t)
	_, ask := socketPage(t)
	status, _ := ask(http.MethodPost, "/api/alerts/00000000000000aa/acknowledge", `{"by":"anna","comment":"on it"}`, nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, []alertaction.Acknowledgement{{Alert: "00000000000000aa", By: "anna", Comment: "on it"}}, k.acknowledged())
	status, answer := ask(http.MethodPost, "/api/alerts/00000000000000bb/acknowledge", `{"by":"anna"}`, nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, alertaction.ErrUnknownAlert.Error(), answer["error"])
}

// TestActionsThatAreRefused: nothing is done that was not asked for by a person of this host, in full and in JSON.
func TestActionsThatAreRefused(t *testing.T) {
	k := offer(t)
	_, ask := socketPage(t)
	silence := `{"rule":"load","for":"2h","by":"anna"}`
	rows := map[string]struct {
		method, path, body string
		header             http.Header
		status             int
	}{
		"no reason who":         {http.MethodPost, "/api/silences", `{"rule":"load","for":"2h"}`, nil, 400},
		"nothing named":         {http.MethodPost, "/api/silences", `{"for":"2h","by":"anna"}`, nil, 400},
		"no end":                {http.MethodPost, "/api/silences", `{"rule":"load","by":"anna"}`, nil, 400},
		"for ever":              {http.MethodPost, "/api/silences", `{"rule":"load","by":"anna","for":"9000h"}`, nil, 400},
		"over already":          {http.MethodPost, "/api/silences", `{"rule":"load","by":"anna","for":"-1h"}`, nil, 400},
		"an unknown key":        {http.MethodPost, "/api/silences", `{"rule":"load","by":"anna","for":"1h","until":"x"}`, nil, 400},
		"no JSON":               {http.MethodPost, "/api/silences", `rule=load`, nil, 400},
		"a long text":           {http.MethodPost, "/api/silences", `{"rule":"load","for":"2h","by":"` + strings.Repeat("a", 300) + `"}`, nil, 400},
		"a long body":           {http.MethodPost, "/api/silences", `{"rule":"load","for":"2h","by":"` + strings.Repeat("a", 30000) + `"}`, nil, 400},
		"a form":                {http.MethodPost, "/api/silences", silence, http.Header{"Content-Type": {"text/plain"}}, 415},
		"no type":               {http.MethodPost, "/api/silences", silence, http.Header{"Content-Type": nil}, 415},
		"a page of another":     {http.MethodPost, "/api/silences", silence, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"a sibling site":        {http.MethodPost, "/api/silences", silence, http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		"another origin":        {http.MethodPost, "/api/silences", silence, http.Header{"Origin": {"https://evil.example"}}, 403},
		"an end by another":     {http.MethodDelete, "/api/silences/00000000000000aa", "", http.Header{"Origin": {"https://evil.example"}}, 403},
		"an ack by another":     {http.MethodPost, "/api/alerts/00000000000000aa/acknowledge", `{"by":"x"}`, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"another method":        {http.MethodPut, "/api/silences", silence, nil, 405},
		"what only reads":       {http.MethodPost, "/api/range", silence, nil, 405},
		"an ack without a name": {http.MethodPost, "/api/alerts/00000000000000aa/acknowledge", `{}`, nil, 400},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			status, answer := ask(row.method, row.path, row.body, row.header)
			assert.Equal(t, row.status, status, answer)
			assert.NotEmpty(t, answer["error"])
			assert.Empty(t, k.Silences())
			assert.Empty(t, k.acknowledged())
		})
	}
}

// TestActionsNeedPeopleWhoAreKnown: on a TCP port without auth whoever reaches it could silence everything.
func TestActionsNeedPeopleWhoAreKnown(t *testing.T) {
	k := offer(t)
	p := start(t, nil)
	client := &http.Client{Timeout: time.Minute}
	defer client.CloseIdleConnections()
	status, answer := askAt(t, client, p.base, http.MethodPost, "/api/silences", `{"rule":"load","for":"2h","by":"anna"}`, nil)
	assert.Equal(t, http.StatusForbidden, status)
	assert.Contains(t, answer["error"], "set auth")
	assert.Empty(t, k.Silences())
	status, answer = askAt(t, client, p.base, http.MethodGet, "/api/silences", "", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, false, answer["possible"])
	assert.Contains(t, answer["why"], "set auth")
}

func TestActionsWithoutAnAlertComponent(t *testing.T) {
	_, ask := socketPage(t)
	status, answer := ask(http.MethodPost, "/api/silences", `{"rule":"load","for":"2h","by":"anna"}`, nil)
	assert.Equal(t, http.StatusForbidden, status)
	assert.Equal(t, "there is no alert component in this Collector", answer["error"])
}

// slowTaker is an alert component whose storage hangs.
type slowTaker struct {
	*taker
	begun, end chan struct{}
}

func (k slowTaker) Silence(alertaction.Silence) error {
	k.begun <- struct{}{}
	<-k.end
	return nil
}

// TestActionsKeepNoReaderWaiting: neither bodies that don't come nor a storage that hangs.
func TestActionsKeepNoReaderWaiting(t *testing.T) {
	k := slowTaker{&taker{silences: map[string]alertaction.Silence{}}, make(chan struct{}), make(chan struct{})}
	t.Cleanup(alertaction.Offer(k))
	p, ask := socketPage(t)
	socket := p.cfg.ServerConfig.NetAddr.Endpoint
	for range 2 * maxAnswers {
		conn, err := net.Dial("unix", socket) //nolint:noctx // It is this host's.
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, "POST /api/silences HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
		require.NoError(t, err)
		line := make([]byte, len("HTTP/1.1 100 Continue"))
		_, err = io.ReadFull(conn, line) // Its handler waits for the body by now.
		require.NoError(t, err)
	}
	status, _ := ask(http.MethodGet, "/api/silences", "", nil)
	require.Equal(t, http.StatusOK, status, "while bodies don't come")
	var asked sync.WaitGroup
	for range maxAnswers + 1 {
		asked.Go(func() {
			status, _ := ask(http.MethodPost, "/api/silences", `{"rule":"load","for":"2h","by":"anna"}`, nil)
			assert.Equal(t, http.StatusCreated, status)
		})
		<-k.begun
	}
	status, _ = ask(http.MethodGet, "/api/silences", "", nil)
	assert.Equal(t, http.StatusOK, status, "while a storage hangs")
	close(k.end)
	asked.Wait()
}

// TestWhoEndsASilence is as bounded and as printable as who begins it.
func TestWhoEndsASilence(t *testing.T) {
	k := offer(t)
	_, ask := socketPage(t)
	require.NoError(t, k.Silence(alertaction.Silence{ID: "00000000000000aa"}))
	status, _ := ask(http.MethodDelete, "/api/silences/00000000000000aa?by="+strings.Repeat("a", 5000), "", nil)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Len(t, k.Silences(), 1)
	name, err := alertaction.CheckedName("an\x1b[31mna\n")
	require.NoError(t, err)
	assert.Equal(t, "an\uFFFD1B[31mna\uFFFD0A", name)
}
