package webclient

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// leastSecret is how many bytes a user, a value of a query or of a header has at least to be taken for a secret: texts are full of shorter ones.
const leastSecret = 4

// plainHeaders hold no secrets.
var plainHeaders = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Content-Encoding": true, "Content-Length": true, "Content-Type": true, "Traceparent": true, "Tracestate": true, "User-Agent": true,
}

// HideSent returns a text of a server without the secrets that a request brought there: user, password and values of the query of its URLs, and the values of
// its headers, also in the forms in which a server may write them. The request is the one that was sent, with what the authenticator set (http.Response.Request);
// address is the configured URL.
func HideSent(text, address string, sent *http.Request) string {
	var secrets []string
	add := func(least int, values ...string) {
		for _, v := range values {
			if len(v) >= max(least, 1) {
				secrets = append(secrets, formsOf(v)...)
			}
		}
	}
	addURL := func(u *url.URL) {
		password, _ := u.User.Password()
		add(leastSecret, u.User.Username(), u.User.String(), u.RawQuery)
		add(1, password)
		for _, values := range u.Query() {
			add(leastSecret, values...)
		}
	}
	if u, err := url.Parse(address); err == nil {
		addURL(u)
	}
	if sent != nil {
		addURL(sent.URL)
		for name, values := range sent.Header {
			if plainHeaders[name] {
				continue
			}
			add(leastSecret, values...)
			for _, v := range values {
				_, credentials, _ := strings.Cut(v, " ")
				add(leastSecret, credentials)
			}
		}
		if user, password, ok := sent.BasicAuth(); ok {
			add(leastSecret, user)
			add(1, password)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // The longest first, for one may be a part of another.
	pairs := make([]string, 0, 2*len(secrets))
	for _, s := range secrets {
		pairs = append(pairs, s, hidden)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// formsOf are the forms in which a server may write a text: as it is, in a URL, in JSON, in HTML, in base64.
func formsOf(text string) []string {
	quoted, _ := json.Marshal(text) // A string.
	return []string{
		text, url.QueryEscape(text), url.PathEscape(text), strings.Trim(string(quoted), `"`), strings.Trim(strconv.Quote(text), `"`), html.EscapeString(text), base64.StdEncoding.EncodeToString([]byte(text)),
	}
}
