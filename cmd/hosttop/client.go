package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds what is read of an answer, so that a server that is none of ours can't fill the memory.
const maxAnswer = 64 << 20

type client struct {
	base   string
	header [2]string
	user   *url.Userinfo // Of the address. It stands in no URL, and so in no error.
	http   http.Client
	meta   *meta
}

func newClient(address, header string) (*client, error) {
	transport := &http.Transport{ResponseHeaderTimeout: 10 * time.Second}
	c := &client{http: http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: sameServer}}
	if name, value, ok := strings.Cut(header, ":"); ok {
		c.header = [2]string{strings.TrimSpace(name), strings.TrimSpace(value)}
	} else if header != "" {
		return nil, errors.New("a header is written as \"Name: value\"")
	}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		path = "/" + strings.TrimLeft(path, "/")
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		c.base = "http://localhost"
		return c, nil
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		if strings.ContainsAny(address, "@?#") {
			address = "hidden, for a password may stand in it"
		}
		return nil, fmt.Errorf("address is %q: it must be http://host:port, host:port or unix:///path", address)
	}
	c.user, u.User = u.User, nil
	c.base = strings.TrimRight(u.String(), "/")
	return c, nil
}

func (c *client) get(ctx context.Context, path string, query url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	return c.do(request, path, into)
}

// do sends a request and reads its answer, if somebody wants it.
func (c *client) do(request *http.Request, path string, into any) error {
	if c.header[0] != "" {
		request.Header.Set(c.header[0], c.header[1])
	}
	if c.user != nil {
		password, _ := c.user.Password()
		request.SetBasicAuth(c.user.Username(), password)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusCreated {
		var e struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(body, &e)
		err := fmt.Errorf("%s: %d %s", path, response.StatusCode, http.StatusText(response.StatusCode))
		if e.Error != "" {
			err = fmt.Errorf("%w: %s", err, clean(e.Error))
		}
		return err
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: the answer is not that of a host page: %w", path, err)
	}
	return nil
}

// window is how much of the past the small charts show, and points how many values they have.
const (
	window = 2 * time.Minute
	points = 60
)

// look asks for all that a screen shows, at a time or now.
func (c *client) look(ctx context.Context, at *int64) (*snapshot, error) {
	s, err := c.lookOnce(ctx, at)
	if errors.Is(err, errOtherStore) {
		s, err = c.lookOnce(ctx, at)
	}
	return s, err
}

// errOtherStore is that the history has begun again meanwhile, with other series.
var errOtherStore = errors.New("the history began again while it was read")

func (c *client) lookOnce(ctx context.Context, at *int64) (*snapshot, error) {
	if c.meta == nil {
		c.meta = &meta{}
		if err := c.get(ctx, "/api/meta", nil, c.meta); err != nil {
			c.meta = nil
			return nil, err
		}
		c.meta.index()
	}
	s := &snapshot{meta: c.meta}
	query := url.Values{"series": {strings.Join(shown, ",")}, "width": {strconv.Itoa(points)}, "from": {"-" + window.String()}}
	tables := url.Values{}
	if at != nil {
		query.Set("from", strconv.FormatInt(*at-window.Milliseconds(), 10))
		query.Set("to", strconv.FormatInt(*at+1, 10))
		tables.Set("at", strconv.FormatInt(*at, 10))
	}
	if err := c.get(ctx, "/api/range", query, &s.values); err != nil {
		return nil, err
	}
	if s.values.Store != c.meta.Store {
		c.meta = nil
		return nil, errOtherStore
	}
	if err := c.get(ctx, "/api/processes", tables, &s.table); err != nil {
		return nil, err
	}
	if c.meta.Features.Groups {
		if err := c.get(ctx, "/api/groups", tables, &s.groups); err != nil {
			return nil, err
		}
	}
	if err := c.get(ctx, "/api/alerts", nil, &s.alerts); err != nil {
		return nil, err
	}
	s.processes = s.table.read()
	s.index()
	return s, nil
}

// refresh makes the next look ask for the series again.
func (c *client) refresh() { c.meta = nil }
