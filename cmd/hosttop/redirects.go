package main

import (
	"errors"
	"net/http"
	"strings"
)

// maxRedirects is how many redirects are followed.
const maxRedirects = 3

var errRedirects = errors.New("too many redirects")

// sameServer follows a redirect to the scheme, host and port of the first request alone, and with its method: the header with the password goes where a
// request goes. It does as SameServer of internal/webclient, of the module that this one needs no package of, and a test holds both to one table.
func sameServer(request *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > maxRedirects:
		return errRedirects
	case request.URL.Scheme != first.URL.Scheme, !strings.EqualFold(hostPort(request), hostPort(first)), request.Method != first.Method,
		request.URL.User != nil && request.URL.User.String() != first.URL.User.String():
		return http.ErrUseLastResponse
	default:
		return nil
	}
}

// hostPort is where a request goes, the port of the scheme written out.
func hostPort(request *http.Request) string {
	port := request.URL.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[request.URL.Scheme]
	}
	return request.URL.Hostname() + ":" + port
}
