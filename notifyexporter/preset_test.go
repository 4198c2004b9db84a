package notifyexporter

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// presetMessage is one of the texts that the rules of the preset are held to.
type presetMessage struct {
	Rule, Severity, State, Transition, Metric, Unit, Text string
	Group, Annotations                                    map[string]string
}

// presetMessages are the messages that tell of each rule of the preset alone, as they fire and as they end.
func presetMessages(t *testing.T, alone bool) (messages []*message, texts []string) {
	t.Helper()
	encoded, err := os.ReadFile("../internal/alert/rules/testdata/preset_messages.json")
	require.NoError(t, err)
	var all []presetMessage
	require.NoError(t, json.Unmarshal(encoded, &all))
	n := &notifier{cfg: createDefaultConfig().(*Config), location: time.UTC, now: func() time.Time { return began }}
	n.cfg.PageURL = "http://{host.name}:8080/"
	value, threshold := 0.97, 0.9
	rules := map[string]bool{}
	for i, p := range all {
		rules[p.Rule] = true
		e := event{
			rule: p.Rule, host: "db1", severity: p.Severity, transition: alertschema.TransitionFire, state: alertschema.StateFiring, started: began, at: began, n: i, text: p.Text,
			value: value, threshold: threshold, unit: p.Unit, metric: p.Metric, comparison: ">", group: p.Group, annotations: p.Annotations,
		}
		if p.State == "resolved" {
			e.transition, e.state, e.text = alertschema.TransitionResolve, alertschema.StateResolved, "resolved: "+p.Text+" (was firing for 1m)"
		}
		rl := e.logs().ResourceLogs().At(0)
		r, ok := readRecord(rl.Resource(), rl.ScopeLogs().At(0).LogRecords().At(0), began.UnixNano())
		require.True(t, ok, p.Rule)
		it := item{entry: entry{ID: r.ID, Episode: r.Episode, Started: r.Started, Ended: r.Ended, Active: r.Active, About: r.about}, notices: []notice{r.notice}}
		messages = append(messages, n.compose(t.Context(), &route{name: "x", eachOnItsOwn: alone}, &batch{items: []item{it}, open: map[string]int{}}, began.UnixNano()))
		texts = append(texts, e.text)
	}
	require.Greater(t, len(rules), 70)
	return messages, texts
}

// leftovers are what is left of a template, or of a value, that has gone wrong.
var leftovers = regexp.MustCompile(`<no value>|&lt;no value&gt;|%!|\{\{|\}\}|<nil>|\bNaN\b|\bundefined\b|\bnull null\b|&amp;(amp|lt|gt|#34|#39|quot);`)

// TestEveryRuleOfThePresetOnEveryChannel: whole, with a title, within what the vendor takes, escaped as it reads it, and said once.
func TestEveryRuleOfThePresetOnEveryChannel(t *testing.T) {
	t.Parallel()
	const raw = `/srv/a <b>&"c"` // A mount point.
	seen := map[string]bool{"webhook": true}
	for _, v := range vendors {
		seen[v.name] = true
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			server := newServerOf(t, func(w http.ResponseWriter, _ request) {
				w.WriteHeader(max(v.status, http.StatusOK))
				_, _ = io.WriteString(w, v.answer)
			})
			s := openSender(t, fmt.Sprintf(v.config, server.URL))
			messages, texts := presetMessages(t, s.eachOnItsOwn())
			for i, m := range messages {
				server.got = nil
				_, err := s.send(t.Context(), m)
				require.NoError(t, err)
				require.NotEmpty(t, server.got)
				for _, got := range server.got {
					var body any
					require.NoError(t, json.Unmarshal(got.body, &body))
					if v.name != "webhook" { // Its schema is of one rule.
						require.Empty(t, v.body.check(body), texts[i])
					}
					for key, text := range textsIn(body, "") {
						require.NotRegexp(t, leftovers, text, "%s of %s", key, texts[i])
						if key == "parse_mode" || v.name == "telegram" && key == "text" || key == "formatted_body" {
							require.NotContains(t, text, "<b>&", "%s of %s", key, texts[i])
						}
						if v.name == "slack" {
							require.NotRegexp(t, `<[^h]`, text, "%s of %s", key, texts[i])
						}
						once := strings.Count(html.UnescapeString(strings.NewReplacer(`\`, "").Replace(text)), texts[i])
						require.LessOrEqual(t, once, 1, "%s says it twice: %s", key, text)
					}
				}
			}
		})
	}
	t.Run("mail", func(t *testing.T) {
		t.Parallel()
		seen["email"] = true
		s := openSender(t, `type: email, server: "127.0.0.1:25", from: a@example.com, to: [b@example.com]`).(*emailSender)
		messages, texts := presetMessages(t, false)
		for i, m := range messages {
			out, err := s.mail(m)
			require.NoError(t, err)
			subject := out.GetGenHeader("Subject")
			require.Len(t, subject, 1)
			require.NotEmpty(t, strings.TrimSpace(subject[0]))
			page := m.htmlPart(nil)
			for _, text := range []string{m.plain(), page, m.Title} {
				require.NotRegexp(t, leftovers, text)
			}
			require.NotContains(t, page, raw)
			require.Equal(t, 1, strings.Count(m.plain(), texts[i]), m.plain())
			require.Equal(t, 1, strings.Count(html.UnescapeString(page), texts[i]), page)
			for line := range strings.SplitSeq(strings.TrimSpace(m.plain()), "\n") {
				require.Equal(t, 1, strings.Count(m.plain(), strings.TrimSpace(line)+"\n"), "%s stands there twice: %s", line, m.plain())
			}
		}
	})
	t.Run("this host", func(t *testing.T) {
		t.Parallel()
		messages, texts := presetMessages(t, false)
		s := openSender(t, `type: syslog, network: unix, address: `+filepath.Join(t.TempDir(), "log")).(*syslogSender)
		for i, m := range messages {
			line, record := s.line(&m.items[0]), string(journalEntry(&m.items[0]))
			input, err := json.Marshal(m.payload())
			require.NoError(t, err)
			var payload any
			require.NoError(t, json.Unmarshal(input, &payload))
			shown := textsIn(payload, "")
			shown["line"], shown["record"] = line, record
			for _, text := range shown {
				require.NotRegexp(t, leftovers, text)
			}
			require.Equal(t, 1, strings.Count(line, texts[i]))
			require.NotContains(t, line, "\n")
			require.Equal(t, 1, strings.Count(record, texts[i]))
			require.NotEmpty(t, m.Title)
		}
		assert.LessOrEqual(t, len(vendors)+4, len(types))
	})
}

// textsIn are the texts of a JSON value by the names of their fields.
func textsIn(v any, name string) map[string]string {
	out := map[string]string{}
	add := func(more map[string]string) {
		for key, text := range more {
			for out[key] != "" {
				key += "'"
			}
			out[key] = text
		}
	}
	switch x := v.(type) {
	case string:
		out[name] = x
	case []any:
		for _, item := range x {
			add(textsIn(item, name))
		}
	case map[string]any:
		for key, item := range x {
			add(textsIn(item, key))
		}
	}
	return out
}

// TestTheTestMessage says once what it is.
func TestTheTestMessage(t *testing.T) {
	t.Parallel()
	n := &notifier{cfg: createDefaultConfig().(*Config), location: time.UTC, now: func() time.Time { return began }}
	for _, resolved := range []bool{false, true} {
		m := n.testMessage(t.Context(), &route{name: "mail"}, began.UnixNano(), resolved)
		for _, text := range []string{m.plain(), m.htmlPart(nil), m.marked(slackMarkup, 4000), m.payload().Text} {
			assert.Equal(t, 1, strings.Count(text, "Nothing is wrong"), text)
			assert.Equal(t, 1, strings.Count(text, "test of the channel mail"), text)
		}
	}
}
