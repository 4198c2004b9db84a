package webclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No text that stands for a URL has its secrets, whether it is one or has a mistake.
func TestRedact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"http://localhost:9093":                "http://localhost:9093",
		"https://am.example/prefix":            "https://am.example/prefix",
		"https://ops:s3cret@am.example/prefix": "https://xxxxx@am.example/prefix",
		"https://s3cret@am.example":            "https://xxxxx@am.example",
		"https://am.example/?token=s3cret":     "https://am.example/?xxxxx",
		"https://am.example/#s3cret":           "https://am.example/#xxxxx",
		"https://ops:s3cret@am.example/@x?a=1": "https://xxxxx@am.example/@x?xxxxx",
		"https://ops:s3/cret@am.example":       "https://xxxxx@am.example",
		"https://ops:12/s3cret@am.example":     "https://xxxxx@am.example",
		"https://ops:s3%cret@am.example":       "https://xxxxx@am.example",
		"https://ops:s3cret@am.example:port":   "https://xxxxx@am.example:port",
		"https://ops:s3?cret@am.example":       "https://ops:s3?xxxxx",
		"ops:s3cret@am.example:9093":           "xxxxx@am.example:9093",
		"htps//ops:s3cret@am.example":          "xxxxx@am.example",
		"https://ops:s3cret@am.example\n":      "https://xxxxx@am.example\n",
		"https://am.example/%zz?token=s3cret":  "https://am.example/%zz?xxxxx",
		"https://[::1]:9093/":                  "https://[::1]:9093/",
		"localhost:9093":                       "localhost:9093",
		"unix:///run/am.sock":                  "unix:///run/am.sock",
		"":                                     "",
	} {
		got := Redact(text)
		assert.NotContains(t, got, "s3cret", text)
		if strings.Contains(text, "s3?cret") {
			continue // What is left of a password that is cut by a question mark can't be known.
		}
		assert.Equal(t, want, got, text)
	}
}

func TestErrorsHaveNoSecrets(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, address := range []string{"http://ops:s3cret@127.0.0.1:1/x?key=s3cret", "http://s3cret@127.0.0.1:1"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		require.NoError(t, err)
		_, err = http.DefaultClient.Do(req) //nolint:bodyclose // There is no answer.
		require.Error(t, err)
		err = RedactError(fmt.Errorf("posting: %w", err))
		assert.NotContains(t, err.Error(), "s3cret")
		assert.Contains(t, err.Error(), "127.0.0.1:1")
		require.ErrorIs(t, err, context.Canceled)
		var of *url.Error
		require.ErrorAs(t, err, &of)
	}
	_, err := url.Parse("https://ops:s3cret/s3cret@am.example") //nolint:staticcheck // It is none.
	require.ErrorContains(t, err, `invalid port ":s3cret"`)
	assert.Equal(t, `proxy: parse "https://xxxxx@am.example": it is no URL`, RedactError(fmt.Errorf("proxy: %w", err)).Error())
	require.NoError(t, RedactError(nil))
	plain := errors.New("plain")
	assert.Equal(t, plain, RedactError(plain))
	long := RedactError(errors.New(strings.Repeat("ä", 3000)))
	assert.Less(t, len(long.Error()), 1100)
}

// Headers go to the server that is configured, and to no other.
func TestRedirectsStayAtTheServer(t *testing.T) {
	t.Parallel()
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	var arrived []string
	to, status := "", 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/there" {
			arrived = append(arrived, r.Method)
			return
		}
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	client := &http.Client{CheckRedirect: SameServer}
	for _, status = range []int{301, 302, 303, 307, 308} {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			for _, to = range []string{
				other.URL, other.URL + "/there", "https://127.0.0.1:" + port + "/there", "http://localhost:" + port + "/there",
				strings.TrimPrefix(other.URL, "http:"), "ftp://127.0.0.1/there",
			} {
				req, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/here", http.NoBody)
				require.NoError(t, err)
				req.Header.Set("Authorization", "s3cret")
				resp, err := client.Do(req)
				require.NoError(t, err, "%d to %s", status, to)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, status, resp.StatusCode, to)
			}
			to = "/there"
			req, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/here", http.NoBody)
			require.NoError(t, err)
			resp, err := client.Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			if method == http.MethodGet || status >= 307 {
				assert.Equal(t, http.StatusOK, resp.StatusCode)
			} else {
				assert.Equal(t, status, resp.StatusCode, "the method would be another")
			}
		}
	}
	assert.Empty(t, elsewhere)
	for _, method := range arrived {
		assert.Contains(t, []string{http.MethodGet, http.MethodPost}, method)
	}
	to, status = "/here", 307
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/here", http.NoBody)
	require.NoError(t, err)
	_, err = client.Do(req) //nolint:bodyclose // There is no answer.
	require.ErrorIs(t, err, errRedirects)
}

func TestRetryAfterIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	const longest = 30 * time.Second
	for value, want := range map[string]time.Duration{
		"0": 0, "1": time.Second, " 5 ": 5 * time.Second, "30": longest, "31": longest, "9999999": longest, "9223372036854775807": longest,
		"18446744073709551615": longest, "99999999999999999999999": longest,
		now.Add(10 * time.Second).Format(http.TimeFormat): 10 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
		now.AddDate(900, 0, 0).Format(http.TimeFormat): longest, "Fri, 31 Dec 9999 23:59:59 GMT": longest,
	} {
		got, ok := RetryAfter(value, now, longest)
		assert.True(t, ok, value)
		assert.Equal(t, want, got, value)
		got, _ = RetryAfter(value, now, 1500*time.Millisecond)
		assert.LessOrEqual(t, got, 1500*time.Millisecond, value)
	}
	for _, value := range []string{"", "-1", "soon", "1e9", "0x10"} {
		_, ok := RetryAfter(value, now, longest)
		assert.False(t, ok, value)
	}
}
