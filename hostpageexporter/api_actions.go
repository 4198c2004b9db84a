package hostpageexporter

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/config/confignet"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertaction"
)

// This file has the routes that change something: what people do about alerts. They are served only to people who are known, or who may open a socket on
// this host, and only to requests that a page of another site can't make: in JSON, and of this origin.

const (
	// maxActionBody bounds the body of a request, in bytes, and bodyPatience how long it may take.
	maxActionBody = 16 << 10
	bodyPatience  = 10 * time.Second
	// maxActions is how many actions are done at once; others wait.
	maxActions = 16
)

// silenceAnswer is a silence, as it is asked for and answered.
type silenceAnswer struct {
	ID         string            `json:"id"`
	Rule       string            `json:"rule,omitempty"`
	Alert      string            `json:"alert,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	By         string            `json:"by"`
	Comment    string            `json:"comment"`
	From       millis            `json:"from"`
	To         millis            `json:"to"`
}

type silencesAnswer struct {
	Version  int             `json:"version"`
	Possible bool            `json:"possible"`
	Why      string          `json:"why,omitempty"`
	Silences []silenceAnswer `json:"silences"`
}

// silenceRequest asks for a silence.
type silenceRequest struct {
	Rule       string            `json:"rule"`
	Alert      string            `json:"alert"`
	Attributes map[string]string `json:"attributes"`
	For        string            `json:"for"`
	By         string            `json:"by"`
	Comment    string            `json:"comment"`
}

// acknowledgeRequest acknowledges an alert.
type acknowledgeRequest struct {
	By      string `json:"by"`
	Comment string `json:"comment"`
}

// actionRoutes are the routes of actions, on top of those that only read.
func (p *page) actionRoutes(mux *http.ServeMux) {
	mux.Handle("GET /api/silences", p.handle(p.silences))
	mux.Handle("POST /api/silences", p.action(p.putSilence))
	mux.Handle("DELETE /api/silences/{id}", p.action(p.endSilence))
	mux.Handle("POST /api/alerts/{id}/acknowledge", p.action(p.acknowledge))
}

// action serves an action. Neither a body that comes slowly nor a storage that hangs takes the place of those who only read.
func (p *page) action(do func(*answering) error) http.Handler {
	next := p.handleAmong(p.acts, p.act(do))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connection := http.NewResponseController(w)
		_ = connection.SetReadDeadline(time.Now().Add(bodyPatience)) // A deadline of a connection is by the clock of this host.
		body, err := io.ReadAll(io.LimitReader(r.Body, maxActionBody+1))
		switch {
		case err != nil:
			writeError(w, http.StatusRequestTimeout, "the request has not come whole")
			return
		case len(body) > maxActionBody:
			writeError(w, http.StatusBadRequest, "the request is larger than any that API.md describes")
			return
		}
		_ = connection.SetReadDeadline(time.Time{})
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// whyNoActions says why nobody can silence anything here, "" if people can.
func (p *page) whyNoActions() string {
	switch {
	case !p.cfg.ServerConfig.Auth.HasValue() && p.cfg.ServerConfig.NetAddr.Transport != confignet.TransportTypeUnix:
		return "silences and acknowledgements are taken only from people who are known: set auth of the page, or serve it on a unix socket (transport: unix)"
	case !alertaction.Possible():
		return "there is no alert component in this Collector"
	default:
		return ""
	}
}

func (p *page) silences(a *answering) error {
	out := silencesAnswer{Version: apiVersion, Why: p.whyNoActions(), Silences: []silenceAnswer{}}
	out.Possible = out.Why == ""
	for _, s := range alertaction.Silences() {
		out.Silences = append(out.Silences, answerOf(&s))
	}
	return a.writeJSON(out)
}

func answerOf(s *alertaction.Silence) silenceAnswer {
	return silenceAnswer{
		ID: s.ID, Rule: s.Rule, Alert: s.Alert, Attributes: s.Group, By: s.By, Comment: s.Comment,
		From: millis(s.From.UnixMicro()), To: millis(s.To.UnixMicro()),
	}
}

// crossOrigin refuses what a browser sends for a page of another origin. Who is no browser can't be made to send something by a page.
var crossOrigin = http.NewCrossOriginProtection()

// act serves an action, if it may be done.
func (p *page) act(do func(*answering) error) func(*answering) error {
	return func(a *answering) error {
		if why := p.whyNoActions(); why != "" {
			return failure{http.StatusForbidden, why}
		}
		if err := crossOrigin.Check(a.Request); err != nil {
			p.refused(a.Context(), "origin")
			return failure{http.StatusForbidden, "this must be asked for by a page of this server"}
		}
		// A form of another site can't have this type without asking first.
		if kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type")); a.Method == http.MethodPost && (err != nil || kind != "application/json") {
			return failure{http.StatusUnsupportedMediaType, "Content-Type must be application/json"}
		}
		return do(a)
	}
}

// body reads the request into v.
func (a *answering) body(v any) error {
	d := json.NewDecoder(a.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badRequest("the request is not the JSON that API.md describes: " + err.Error())
	}
	return nil
}

// who is the person of a request: the one that the authenticator knows, else the name that was given.
func who(a *answering, given string) string {
	if auth := client.FromContext(a.Context()).Auth; auth != nil {
		for _, key := range []string{"subject", "username"} {
			if name, ok := auth.GetAttribute(key).(string); ok && name != "" {
				return name
			}
		}
	}
	return given
}

func (p *page) putSilence(a *answering) error {
	var r silenceRequest
	if err := a.body(&r); err != nil {
		return err
	}
	length, err := time.ParseDuration(r.For)
	if err != nil {
		return badRequest(`for must be a duration such as "2h" or "30m"`)
	}
	now := p.now()
	s := alertaction.Silence{
		ID: alertaction.NewID(), Rule: r.Rule, Alert: r.Alert, Group: r.Attributes, By: who(a, r.By), Comment: r.Comment, From: now, To: now.Add(length),
	}
	if err := s.Check(); err != nil {
		return badRequest(err.Error())
	}
	if err := alertaction.PutSilence(s); err != nil {
		return actionFailure(err)
	}
	a.status(http.StatusCreated)
	return a.writeJSON(struct {
		Version int           `json:"version"`
		Silence silenceAnswer `json:"silence"`
	}{apiVersion, answerOf(&s)})
}

func (p *page) endSilence(a *answering) error {
	by, err := alertaction.CheckedName(who(a, a.URL.Query().Get("by")))
	if err != nil {
		return badRequest(err.Error())
	}
	if err := alertaction.EndSilence(a.PathValue("id"), by); err != nil {
		return actionFailure(err)
	}
	return a.writeJSON(map[string]any{"version": apiVersion})
}

func (p *page) acknowledge(a *answering) error {
	var r acknowledgeRequest
	if err := a.body(&r); err != nil {
		return err
	}
	ack := alertaction.Acknowledgement{Alert: a.PathValue("id"), By: who(a, r.By), Comment: r.Comment}
	if err := ack.Check(); err != nil {
		return badRequest(err.Error())
	}
	if err := alertaction.Acknowledge(ack); err != nil {
		return actionFailure(err)
	}
	return a.writeJSON(map[string]any{"version": apiVersion})
}

func actionFailure(err error) error {
	switch {
	case errors.Is(err, alertaction.ErrUnknownAlert), errors.Is(err, alertaction.ErrUnknownSilence), errors.Is(err, alertaction.ErrUnknownRule):
		return failure{http.StatusNotFound, err.Error()}
	case errors.Is(err, alertaction.ErrTooMany):
		return failure{http.StatusConflict, err.Error()}
	default:
		return failure{http.StatusServiceUnavailable, err.Error()}
	}
}
