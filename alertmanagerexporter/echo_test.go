package alertmanagerexporter

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/webclient"
)

// An answer that repeats the request brings none of its secrets into the error, wherever it is cut.
func TestAnswersThatEchoTheRequest(t *testing.T) {
	for _, before := range []int{0, maxQuoted - 8, maxQuoted - 3} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			dump, _ := httputil.DumpRequest(r, false)
			user, password, _ := r.BasicAuth()
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, "%s%s is no password of %s: %s", strings.Repeat("x", before), password, user, dump)
		}))
		address := strings.Replace(web.URL, "http://", "http://operator:s3cretPassword@", 1) + "/?token=t0kenValue"
		c := &client{http: &http.Client{CheckRedirect: webclient.SameServer}, url: address, now: time.Now}
		err := c.post(t.Context(), nil)
		require.ErrorContains(t, err, "answered 401")
		for _, secret := range []string{"s3c", "operator", "t0ken", "b3BlcmF0b3I6"} {
			assert.NotContains(t, err.Error(), secret)
		}
		c.http.CloseIdleConnections()
		web.Close()
	}
}
