package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// This file has what people do about alerts: silences and acknowledgements, as commands and as a form on the screen.

// silence is one that a person made.
type silence struct {
	ID         string            `json:"id"`
	Rule       string            `json:"rule"`
	Alert      string            `json:"alert"`
	Attributes map[string]string `json:"attributes"`
	By         string            `json:"by"`
	Comment    string            `json:"comment"`
	To         int64             `json:"to"`
}

func (s *silence) subject() string {
	var parts []string
	if s.Rule != "" {
		parts = append(parts, "rule "+s.Rule)
	}
	if s.Alert != "" {
		parts = append(parts, "alert "+s.Alert)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Attributes)) {
		parts = append(parts, key+"="+s.Attributes[key])
	}
	return clean(strings.Join(parts, ", "))
}

// send asks the server to do something.
func (c *client) send(ctx context.Context, method, path string, body, into any) error {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, &text)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	return c.do(request, path, into)
}

func (c *client) acknowledge(ctx context.Context, alert, by, comment string) error {
	return c.send(ctx, http.MethodPost, "/api/alerts/"+url.PathEscape(alert)+"/acknowledge", map[string]string{"by": by, "comment": comment}, nil)
}

func (c *client) silence(ctx context.Context, s silence, length time.Duration) error {
	return c.send(ctx, http.MethodPost, "/api/silences", map[string]any{
		"rule": s.Rule, "alert": s.Alert, "attributes": s.Attributes, "for": length.String(), "by": s.By, "comment": s.Comment,
	}, nil)
}

func (c *client) silences(ctx context.Context) ([]silence, error) {
	var answer struct {
		Silences []silence `json:"silences"`
	}
	err := c.send(ctx, http.MethodGet, "/api/silences", nil, &answer)
	return answer.Silences, err
}

func (c *client) endSilence(ctx context.Context, id, by string) error {
	return c.send(ctx, http.MethodDelete, "/api/silences/"+url.PathEscape(id)+"?"+url.Values{"by": {by}}.Encode(), nil, nil)
}

// person is who uses the program: a name that others know.
func person() string {
	if u, err := user.Current(); err == nil && u.Username != "root" {
		return u.Username
	}
	return cmp.Or(os.Getenv("SUDO_USER"), os.Getenv("USER"))
}

// asked tells whether an action is asked for on the command line.
func (o *options) asked() bool {
	return o.acknowledge != "" || o.silence != "" || o.endSilence != "" || o.silences
}

// named says by which flag to give a name, where an action was refused for lack of one. A server that knows who asks takes actions without.
func named(err error, by string) error {
	if err == nil || by != "" || !strings.Contains(err.Error(), http.StatusText(http.StatusBadRequest)) {
		return err
	}
	return fmt.Errorf("%w: -by NAME (root and a user without a name are nobody in particular)", err)
}

// act does what the command line asks for.
func act(ctx context.Context, c *client, o *options, out io.Writer) error {
	switch {
	case o.acknowledge != "":
		found, err := c.alertOf(ctx, o.acknowledge)
		if err != nil {
			return err
		}
		for _, a := range found {
			if err := c.acknowledge(ctx, a.ID, o.by, o.comment); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(out, "acknowledged: %s\n", clean(a.Message))
		}
		return nil
	case o.silence != "":
		s, err := silenceOf(o.silence)
		if err != nil {
			return err
		}
		s.By, s.Comment = o.by, o.comment
		if err := c.silence(ctx, s, o.length); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "silenced for %s: %s\n", o.length, s.subject())
		return nil
	case o.endSilence != "":
		return c.endSilence(ctx, o.endSilence, o.by)
	default:
		return listSilences(ctx, c, out)
	}
}

func listSilences(ctx context.Context, c *client, out io.Writer) error {
	list, err := c.silences(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\tby %s\tuntil %s\t%s\n", clean(s.ID), s.subject(), clean(s.By), time.UnixMilli(s.To).Format("2006-01-02 15:04"), clean(s.Comment))
	}
	return w.Flush()
}

// silenceOf reads what to silence: rule=NAME, alert=ID, key=value of an attribute, several of them with commas; or the name of a rule.
func silenceOf(text string) (silence, error) {
	var s silence
	for part := range strings.SplitSeq(text, ",") {
		key, value, pair := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case !pair && s.Rule == "" && key != "":
			s.Rule = key
		case !pair || key == "":
			return s, fmt.Errorf("silence is %q: it must be the name of a rule, or alert=ID, rule=NAME, key=value, with commas between them", text)
		case key == "rule":
			s.Rule = value
		case key == "alert":
			s.Alert = value
		default:
			if s.Attributes == nil {
				s.Attributes = map[string]string{}
			}
			s.Attributes[key] = value
		}
	}
	return s, nil
}

// alertOf finds the alerts that fire and have an ID, or are of a rule.
func (c *client) alertOf(ctx context.Context, name string) ([]alert, error) {
	var answer alertList
	if err := c.get(ctx, "/api/alerts", nil, &answer); err != nil {
		return nil, err
	}
	var found []alert
	var names []string
	for _, a := range answer.firing() {
		names = append(names, a.ID+" ("+clean(a.Rule)+")")
		if a.ID == name || a.Rule == name {
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no alert %s fires; those that do: %s", name, cmp.Or(strings.Join(names, ", "), "none"))
	}
	return found, nil
}
