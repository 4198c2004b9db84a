package webclient

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRedirects is how many redirects are followed.
const maxRedirects = 3

var errRedirects = errors.New("too many redirects")

// SameServer is for http.Client.CheckRedirect: it follows a redirect to the scheme, host and port of the first request alone, and with its method. All
// others are answers like any other, for headers with passwords go where a request goes, and an answer to another method says nothing. Nor does it take a user
// or password that the server brings.
func SameServer(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > maxRedirects:
		return errRedirects
	case req.URL.Scheme != first.URL.Scheme, !strings.EqualFold(hostPort(req), hostPort(first)), req.Method != first.Method,
		req.URL.User != nil && req.URL.User.String() != first.URL.User.String():
		return http.ErrUseLastResponse
	default:
		return nil
	}
}

// hostPort is where a request goes, the port of the scheme written out.
func hostPort(req *http.Request) string {
	port := req.URL.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[req.URL.Scheme]
	}
	return req.URL.Hostname() + ":" + port
}

// RetryAfter reads the header Retry-After, which is a number of seconds or a date: how long to wait, at most longest. False where it says nothing.
func RetryAfter(value string, now time.Time, longest time.Duration) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		longestSeconds := uint64(max(0, longest)/time.Second) + 1
		return min(time.Duration(min(seconds, longestSeconds))*time.Second, longest), true
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(0, date.Sub(now)), longest), true
	}
	return 0, false
}
