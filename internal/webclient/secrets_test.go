package webclient

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A Location that is no URL is quoted by package net/http as it came.
func TestRedirectsThatAreNoURLsKeepTheirSecrets(t *testing.T) {
	t.Parallel()
	for _, to := range []string{
		"http://u:s3cret@[::bad", "//u:s3cret@[::bad", "http://u:s3cret/x@host", "http://u:%zz s3cret@host", "http://u:s3cret@host:port/", "http://u@[::bad?token=s3cret", "http://u:\"s3cret@[::bad",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}))
		client := &http.Client{CheckRedirect: SameServer}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		require.NoError(t, err)
		_, err = client.Do(req) //nolint:bodyclose // There is no answer.
		require.Error(t, err, to)
		assert.NotContains(t, RedactError(err).Error(), "s3cret", to)
		server.Close()
	}
	for text, want := range map[string]string{
		`dialing http://u:s3cret@h:1/: refused`: `dialing http://xxxxx@h:1/: refused`,
		`a "quoted \" text" stays`:              `a "quoted \" text" stays`,
		`proxy "u:s3cret@h" of x`:               `proxy "xxxxx@h" of x`,
	} {
		assert.Equal(t, want, RedactError(errors.New(text)).Error())
	}
}

// A server of the same name can't make the client log in as somebody else, nor lead it around.
func TestRedirectsBringNoUserAndEnd(t *testing.T) {
	t.Parallel()
	var asked []string
	to := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		asked = append(asked, user+":"+password)
		switch {
		case r.URL.Path == "/there":
		case strings.HasPrefix(r.URL.Path, "/left/"):
			left := len(r.URL.Path) - len("/left/")
			w.Header().Set("Location", map[bool]string{true: "/left/" + strings.Repeat("x", left-1), false: "/there"}[left > 1])
			w.WriteHeader(http.StatusTemporaryRedirect)
		default:
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	client := &http.Client{CheckRedirect: SameServer}
	get := func(path string) (int, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://own:pw@"+host+path, http.NoBody)
		require.NoError(t, err)
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
	for _, to = range []string{"http://other:pw@" + host + "/there", "//other@" + host + "/there", "http://own:else@" + host + "/there"} {
		status, err := get("/here")
		require.NoError(t, err)
		assert.Equal(t, http.StatusTemporaryRedirect, status, to)
	}
	to = "/there"
	status, err := get("/here")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	for _, a := range asked {
		assert.Equal(t, "own:pw", a)
	}
	status, err = get("/left/xxx")
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status, "three are followed")
	_, err = get("/left/xxxx")
	require.ErrorIs(t, err, errRedirects)
}

func TestHideSent(t *testing.T) {
	t.Parallel()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://h/x?key=qu3ry%2Fv", http.NoBody)
	require.NoError(t, err)
	req.SetBasicAuth("operator", `s3<&"cret`)
	req.Header.Set("X-Api-Key", "h3ader")
	req.Header.Set("Content-Type", "application/json")
	basic := base64.StdEncoding.EncodeToString([]byte(`operator:s3<&"cret`))
	text := fmt.Sprintf(`{"type": "application/json", "seen": "Basic %s", "k": "h3ader", "q": "qu3ry/v qu3ry%%2Fv", "u": "operator", "p": %q, "html": "s3&lt;&amp;&#34;cret", "url": "urlpw5 tok3n"}`,
		basic, `s3<&"cret`)
	got := HideSent(text, "http://joe:urlpw5@h/?token=tok3n", req)
	for _, secret := range []string{basic, "h3ader", "qu3ry", "operator", "cret", "urlpw5", "tok3n"} {
		assert.NotContains(t, got, secret)
	}
	assert.Contains(t, got, `"type": "application/json"`)
	assert.Equal(t, "nothing", HideSent("nothing", "::", nil))
}
