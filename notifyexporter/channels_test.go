package notifyexporter

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

// schema is what a vendor documents of a JSON body: each field by its path, with what its value has to be. A field that is not there is one that the
// vendor does not document, and fails the test. A path that ends in ! must be there.
type schema map[string]func(v any) error

func oneOf(texts ...string) func(any) error {
	return func(v any) error {
		if text, ok := v.(string); !ok || !slices.Contains(texts, text) {
			return fmt.Errorf("%v is none of %v", v, texts)
		}
		return nil
	}
}

// textUpTo is text of 1 to so many characters.
func textUpTo(limit int) func(any) error {
	return func(v any) error {
		text, ok := v.(string)
		if n := len([]rune(text)); !ok || n == 0 || n > limit {
			return fmt.Errorf("%.80v… has %d characters, of 1 to %d", v, n, limit)
		}
		return nil
	}
}

func matching(pattern string) func(any) error {
	return func(v any) error {
		if text, ok := v.(string); !ok || !regexp.MustCompile(pattern).MatchString(text) {
			return fmt.Errorf("%v does not match %s", v, pattern)
		}
		return nil
	}
}

func integer(low, high float64) func(any) error {
	return func(v any) error {
		if n, ok := v.(float64); !ok || n != float64(int64(n)) || n < low || n > high {
			return fmt.Errorf("%v is no integer from %v to %v", v, low, high)
		}
		return nil
	}
}

func boolean(v any) error {
	if _, ok := v.(bool); !ok {
		return fmt.Errorf("%v is no boolean", v)
	}
	return nil
}

func null(v any) error {
	if v != nil {
		return fmt.Errorf("%v is not null", v)
	}
	return nil
}

func anything(any) error { return nil }

func instantText(v any) error {
	text, _ := v.(string)
	_, err := time.Parse(time.RFC3339Nano, text)
	return err
}

// check holds a value to the schema, field by field.
func (s schema) check(value any) (errs []error) {
	seen := map[string]bool{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		for _, p := range []string{path, path + "!"} {
			if rule, ok := s[p]; ok {
				seen[p] = true
				if err := rule(v); err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", path, err))
				}
				return
			}
		}
		switch x := v.(type) {
		case map[string]any:
			for key, item := range x {
				walk(strings.TrimPrefix(path+"."+key, "."), item)
			}
		case []any:
			for _, item := range x {
				walk(path+"[]", item)
			}
		default:
			errs = append(errs, fmt.Errorf("%s is no field that is documented", path))
		}
	}
	walk("", value)
	for path := range s {
		if strings.HasSuffix(path, "!") && !seen[path] {
			errs = append(errs, fmt.Errorf("%s is missing", path))
		}
	}
	return errs
}

const (
	secret     = "s3cretT0kenOfThisChannel00000001" // 32 characters, as PagerDuty's keys have.
	hookPath   = "/services/T000/" + secret
	anyURLText = `^https?://`
)

// slackSchema is of https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments
var slackSchema = schema{
	"text!": textUpTo(4000), "channel": textUpTo(80), "username": textUpTo(80), "icon_emoji": matching(`^:.*:$`), "attachments[].fallback!": textUpTo(4000),
	"attachments[].color!": matching(`^(#[0-9a-f]{6}|good|warning|danger)$`), "attachments[].text!": textUpTo(4000), "attachments[].mrkdwn_in[]": oneOf("text", "pretext", "fields"),
}

// vendors has a row for each type of channel that talks JSON to a server of somebody.
var vendors = []struct {
	name, config string // The configuration, %s is the server.
	method, path string
	header       map[string]string
	status       int
	answer       string
	body         schema
	also         func(t *testing.T, requests []request) // What else has to hold.
}{
	{name: "slack", config: `type: slack, url: "%s` + hookPath + `", channel: "#ops", username: alerts, icon_emoji: ":bell:"`, method: "POST", path: hookPath, answer: "ok", body: slackSchema},
	{
		// https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook and https://adaptivecards.io/explorer/
		name: "teams", config: `type: teams, url: "%s/workflows/` + secret + `/triggers/manual/paths/invoke?api-version=2016-06-01&sig=` + secret + `"`, method: "POST",
		path: "/workflows/" + secret + "/triggers/manual/paths/invoke?api-version=2016-06-01&sig=" + secret, status: http.StatusAccepted,
		body: schema{
			"type!": oneOf("message"), "attachments[].contentType!": oneOf("application/vnd.microsoft.card.adaptive"), "attachments[].contentUrl": null,
			"attachments[].content.$schema": oneOf("http://adaptivecards.io/schemas/adaptive-card.json"), "attachments[].content.type!": oneOf("AdaptiveCard"),
			"attachments[].content.version!": oneOf("1.2", "1.3", "1.4", "1.5"), "attachments[].content.msteams.width": oneOf("Full"),
			"attachments[].content.body[].type!": oneOf("Container", "TextBlock", "FactSet"), "attachments[].content.body[].text": textUpTo(1000),
			"attachments[].content.body[].wrap": boolean, "attachments[].content.body[].weight": oneOf("Bolder"), "attachments[].content.body[].separator": boolean,
			"attachments[].content.body[].style":          oneOf("default", "emphasis", "good", "attention", "warning", "accent"),
			"attachments[].content.body[].bleed":          boolean,
			"attachments[].content.body[].items[].type":   oneOf("TextBlock"),
			"attachments[].content.body[].items[].text":   textUpTo(1000),
			"attachments[].content.body[].items[].wrap":   boolean,
			"attachments[].content.body[].items[].weight": oneOf("Bolder"),
			"attachments[].content.body[].items[].size":   oneOf("Medium"),
			"attachments[].content.body[].facts[].title":  textUpTo(100),
			"attachments[].content.body[].facts[].value":  textUpTo(1000),
			"attachments[].content.actions[].type":        oneOf("Action.OpenUrl"),
			"attachments[].content.actions[].title":       textUpTo(100),
			"attachments[].content.actions[].url":         matching(anyURLText),
		},
		also: func(t *testing.T, requests []request) {
			t.Helper()
			for _, r := range requests {
				assert.Less(t, len(r.body), 28<<10, "a larger card is refused")
			}
		},
	},
	{
		// https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
		name: "pagerduty", config: `type: pagerduty, url: "%s/v2/enqueue", routing_key: ` + secret, method: "POST", path: "/v2/enqueue", status: http.StatusAccepted,
		answer: `{"status":"success","message":"Event processed","dedup_key":"x"}`,
		body: schema{
			"routing_key!": matching(`^.{32}$`), "event_action!": oneOf("trigger", "acknowledge", "resolve"), "dedup_key!": textUpTo(255), "client": textUpTo(255), "client_url": matching(anyURLText),
			"payload.summary": textUpTo(1024), "payload.source": textUpTo(255), "payload.severity": oneOf("critical", "error", "warning", "info"), "payload.timestamp": instantText,
			"payload.component": textUpTo(255), "payload.group": textUpTo(255), "payload.class": textUpTo(255), "payload.custom_details": anything,
			"links[].href": matching(anyURLText), "links[].text": textUpTo(255),
		},
		also: func(t *testing.T, requests []request) {
			t.Helper()
			var got []string
			keys := map[string]bool{}
			for _, r := range requests {
				var e pagerDutyEvent
				require.NoError(t, json.Unmarshal(r.body, &e))
				severity := ""
				if e.Payload != nil {
					severity = " " + e.Payload.Severity
				}
				got = append(got, e.EventAction+severity)
				keys[e.DedupKey] = true
			}
			assert.Equal(t, []string{"trigger warning", "trigger critical", "resolve"}, got)
			assert.Len(t, keys, 1)
			assert.True(t, keys[digest("disk_full", "db1", fmt.Sprint(disk("db1").group))], "the key is alert.id")
		},
	},
	{
		// https://docs.opsgenie.com/docs/alert-api
		name: "opsgenie", config: `type: opsgenie, url: "%s/v2/alerts", api_key: ` + secret + `, teams: [ops], tags: [otel]`, method: "POST", path: `/v2/alerts`,
		header: map[string]string{"Authorization": "GenieKey " + secret}, status: http.StatusAccepted, answer: `{"result":"Request will be processed","took":0.1,"requestId":"x"}`,
		body: schema{
			"message": textUpTo(130), "alias": textUpTo(512), "description": textUpTo(15000), "responders[].name": textUpTo(100), "responders[].type": oneOf("team", "user", "escalation", "schedule"),
			"tags[]": textUpTo(50), "details": anything, "entity": textUpTo(512), "source": textUpTo(100), "priority": oneOf("P1", "P2", "P3", "P4", "P5"),
		},
		also: func(t *testing.T, requests []request) {
			t.Helper()
			require.Len(t, requests, 3)
			assert.Contains(t, string(requests[0].body), `"priority":"P3"`)
			assert.Contains(t, string(requests[1].body), `"priority":"P1"`)
			alias := digest("disk_full", "db1", fmt.Sprint(disk("db1").group))
			assert.Equal(t, "/v2/alerts/"+alias+"/close?identifierType=alias", requests[2].path)
		},
	},
	{
		// https://core.telegram.org/bots/api#sendmessage
		name: "telegram", config: `type: telegram, url: "%s", token: "123:` + secret + `", chat_id: "-100123", topic: 7`, method: "POST", path: "/bot123:" + secret + "/sendMessage",
		answer: `{"ok":true,"result":{}}`,
		body: schema{
			"chat_id!": textUpTo(64), "text!": textUpTo(4096), "parse_mode": oneOf("HTML", "MarkdownV2"), "link_preview_options.is_disabled": boolean, "message_thread_id": integer(1, 1e15),
		},
	},
	{
		// https://docs.ntfy.sh/publish/#publish-as-json
		name: "ntfy", config: `type: ntfy, url: "%s", topic: ` + secret + `, token: tk_` + secret, method: "POST", path: "/", header: map[string]string{"Authorization": "Bearer tk_" + secret},
		answer: `{"id":"x","event":"message"}`,
		body: schema{
			"topic!": oneOf(secret), "message!": textUpTo(4096), "title!": textUpTo(250), "tags[]": matching(`^[a-z_]+$`), "priority!": integer(1, 5), "click": matching(anyURLText),
			"actions[].action": oneOf("view"), "actions[].label": textUpTo(100), "actions[].url": matching(anyURLText),
		},
	},
	{
		// https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid
		name: "matrix", config: `type: matrix, url: "%s", token: ` + secret + `, room: "!r00m:example.org"`, method: "PUT", path: `/_matrix/client/v3/rooms/%21r00m:example.org/send/m.room.message/`,
		header: map[string]string{"Authorization": "Bearer " + secret}, answer: `{"event_id":"$x"}`,
		body: schema{"msgtype!": oneOf("m.text", "m.notice"), "body!": textUpTo(16000), "format": oneOf("org.matrix.custom.html"), "formatted_body": textUpTo(16000)},
		also: func(t *testing.T, requests []request) {
			t.Helper()
			seen := map[string]bool{}
			for _, r := range requests {
				seen[r.path] = true
			}
			assert.Len(t, seen, len(requests), "each message is a transaction of its own")
		},
	},
	{
		// https://discord.com/developers/docs/resources/webhook#execute-webhook
		name: "discord", config: `type: discord, url: "%s/api/webhooks/1/` + secret + `", username: alerts`, method: "POST", path: "/api/webhooks/1/" + secret, status: http.StatusNoContent,
		body: schema{
			"username": textUpTo(80), "content": textUpTo(2000), "embeds[].title": textUpTo(256), "embeds[].description": textUpTo(4096), "embeds[].color": integer(0, 0xffffff),
			"allowed_mentions.parse": func(v any) error {
				if list, ok := v.([]any); !ok || len(list) != 0 {
					return fmt.Errorf("%v lets texts of others call everybody", v)
				}
				return nil
			},
		},
	},
	{
		// https://gotify.net/api-docs
		name: "gotify", config: `type: gotify, url: "%s", token: ` + secret, method: "POST", path: "/message", header: map[string]string{"X-Gotify-Key": secret}, answer: `{"id":1}`,
		body: schema{"title": textUpTo(250), "message!": textUpTo(100_000), "priority": integer(0, 10), "extras.client::notification.click.url": matching(anyURLText)},
	},
	{
		// https://pushover.net/api
		name: "pushover", config: `type: pushover, url: "%s/1/messages.json", token: ` + secret + `, user: u` + secret + `, emergency: true`, method: "POST", path: "/1/messages.json", answer: `{"status":1,"request":"x"}`,
		body: schema{
			"token!": textUpTo(40), "user!": textUpTo(40), "message!": textUpTo(1024), "title": textUpTo(250), "priority": integer(-2, 2), "retry": integer(30, 86400), "expire": integer(1, 10800),
			"url": textUpTo(512), "url_title": textUpTo(100),
		},
	},
	{
		name: "webhook", config: `type: webhook, url: "%s/x?token=` + secret + `", method: PUT, secret: ` + secret + `, headers: {X-Team: ops}`, method: "PUT", path: "/x?token=" + secret, header: map[string]string{"X-Team": "ops"},
		body: schema{
			"version!": integer(1, 1), "id!": matching(`^[0-9a-f]{16}$`), "status!": oneOf("firing", "resolved"), "severity!": textUpTo(20), "title!": textUpTo(200), "text!": textUpTo(100_000),
			"storm!": boolean, "test!": boolean, "alerts[].id!": textUpTo(64), "alerts[].episode_id!": textUpTo(64), "alerts[].thread!": textUpTo(64), "alerts[].status!": oneOf("firing", "resolved"),
			"alerts[].state!": textUpTo(20), "alerts[].severity!": textUpTo(20), "alerts[].rule!": oneOf("disk_full"), "alerts[].host!": oneOf("db1"), "alerts[].headline!": textUpTo(200),
			"alerts[].text!": textUpTo(2000), "alerts[].started_at!": instantText, "alerts[].ended_at": instantText, "alerts[].metric": textUpTo(200), "alerts[].unit": textUpTo(20),
			"alerts[].value": anything, "alerts[].threshold": anything, "alerts[].comparison": oneOf(">"), "alerts[].transitions[].uid!": textUpTo(64),
			"alerts[].transitions[].transition!": oneOf("fire", "escalate", "resolve"), "alerts[].transitions[].severity!": textUpTo(20), "alerts[].transitions[].time!": instantText,
			"alerts[].resource": anything, "alerts[].attributes": anything, "alerts[].labels": anything, "alerts[].annotations": anything, "alerts[].links": anything,
		},
		also: func(t *testing.T, requests []request) {
			t.Helper()
			for _, r := range requests {
				mac := hmac.New(sha256.New, []byte(secret))
				mac.Write(r.body)
				assert.Equal(t, "sha256="+hex.EncodeToString(mac.Sum(nil)), r.header.Get("X-Signature-256"))
				var p payload
				require.NoError(t, json.Unmarshal(r.body, &p))
				assert.Equal(t, p.ID, r.header.Get("Idempotency-Key"))
			}
		},
	},
}

// request is what a server got.
type request struct {
	method, path string
	header       http.Header
	body         []byte
}

// serverOf is a server that keeps what it gets.
type serverOf struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	answer func(w http.ResponseWriter, r request)
}

func newServerOf(t *testing.T, answer func(w http.ResponseWriter, r request)) *serverOf {
	t.Helper()
	s := &serverOf{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		got := request{r.Method, r.URL.RequestURI(), r.Header.Clone(), body}
		s.got = append(s.got, got)
		s.answer(w, got)
	}))
	t.Cleanup(s.Close)
	return s
}

// requests returns what it got.
func (s *serverOf) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// forget drops what it got.
func (s *serverOf) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = nil
}

// messagesOf are messages of an episode, and of a storm, as they are sent on a channel: with all that is hard to write in them.
func messagesOf(t *testing.T, alone bool) []*message {
	t.Helper()
	config := hook
	if alone {
		config = `type: pagerduty, routing_key: ` + secret
	}
	b := newBench(t, "group_wait: 0s\npage_url: 'http://{host.name}:8080/'\nchannels: {mail: {"+config+"}}\n")
	e := disk("db1")
	up := e.then(time.Minute, escalate, "critical")
	up.text = `"quoted" <b>& *bold* _it_ [x](y) ` + "`code`\nsecond line " + strings.Repeat("ä", 3000)
	for _, e := range []event{e, up, up.resolved(time.Minute)} {
		b.tell(e)
		b.pass(time.Minute)
	}
	return b.on["mail"].take()
}

func openSender(t *testing.T, config string) sender {
	t.Helper()
	cfg, err := configOf(t, "allow_exec: true\nchannels: {one: {"+config+"}}\n")
	require.NoError(t, err)
	ch := cfg.Channels["one"]
	s, err := ch.options.open(opening{ctx: t.Context(), host: componenttest.NewNopHost(), set: componenttest.NewNopTelemetrySettings(), now: time.Now, channel: "one"})
	require.NoError(t, err)
	t.Cleanup(s.close)
	return s
}

// TestVendors holds each type of channel to what its vendor documents, field by field.
func TestVendors(t *testing.T) {
	t.Parallel()
	for _, v := range vendors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			server := newServerOf(t, func(w http.ResponseWriter, _ request) {
				if v.status != 0 {
					w.WriteHeader(v.status)
				}
				_, _ = io.WriteString(w, v.answer)
			})
			s := openSender(t, fmt.Sprintf(v.config, server.URL))
			messages := messagesOf(t, s.eachOnItsOwn())
			require.Len(t, messages, 3)
			for _, m := range messages {
				answer, err := s.send(t.Context(), m)
				require.NoError(t, err)
				assert.Contains(t, answer, "answered 20")
			}
			for i, r := range server.requests() {
				assert.Equal(t, v.method, r.method)
				assert.Contains(t, r.path, v.path)
				for key, value := range v.header {
					assert.Equal(t, value, r.header.Get(key))
				}
				var body any
				require.NoError(t, json.Unmarshal(r.body, &body))
				assert.Empty(t, v.body.check(body), "request %d: %s", i, r.body)
			}
			if v.also != nil {
				v.also(t, server.requests())
			}
		})
	}
}

// No error, answer or log line has a secret, whatever the server says, and whatever becomes of the connection.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	for _, v := range vendors {
		for name, answer := range map[string]func(w http.ResponseWriter, r request){
			"it says all that it got": func(w http.ResponseWriter, r request) {
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = fmt.Fprintf(w, "%s %s %v %s", r.method, r.path, r.header, r.body[:min(len(r.body), 100)])
			},
			"it refuses": func(w http.ResponseWriter, r request) {
				http.Error(w, r.path+" is no good "+secret, http.StatusBadRequest)
			},
			"it leads elsewhere": func(w http.ResponseWriter, r request) {
				w.Header().Set("Location", "http://127.0.0.1:9"+r.path)
				w.WriteHeader(http.StatusTemporaryRedirect)
			},
			"it breaks off": func(http.ResponseWriter, request) { panic(http.ErrAbortHandler) },
		} {
			t.Run(v.name+" "+name, func(t *testing.T) {
				t.Parallel()
				server := newServerOf(t, answer)
				s := openSender(t, fmt.Sprintf(v.config, server.URL))
				text, err := s.send(t.Context(), messagesOf(t, s.eachOnItsOwn())[0])
				require.Error(t, err)
				assert.Contains(t, err.Error(), strings.TrimPrefix(server.URL, "http://"), "the server is named")
				assert.NotContains(t, text+err.Error(), secret)
				assert.Equal(t, name == "it refuses", consumererror.IsPermanent(err))
			})
		}
		t.Run(v.name+" nobody is there", func(t *testing.T) {
			t.Parallel()
			s := openSender(t, fmt.Sprintf(v.config, "http://127.0.0.1:9"))
			_, err := s.send(t.Context(), messagesOf(t, s.eachOnItsOwn())[0])
			require.ErrorContains(t, err, v.method+" to 127.0.0.1:9: ")
			assert.NotContains(t, err.Error(), secret)
			assert.False(t, consumererror.IsPermanent(err))
		})
		cfg, err := configOf(t, "channels: {one: {"+fmt.Sprintf(v.config, "http://127.0.0.1:9")+"}}\n")
		require.NoError(t, err)
		ch := cfg.Channels["one"]
		dumped := fmt.Sprintf("%v %+v", cfg, ch.options)
		assert.NotContains(t, dumped, secret, v.name)
	}
}

// A server that is asked too often says when to come again, each in its way. It is believed up to a bound.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, v := range vendors {
		for _, after := range []struct {
			header, body string
			want         time.Duration
			only         string
		}{
			{header: "30", want: 30 * time.Second},
			{header: "999999999", want: longestDelay},
			{body: `{"ok":false,"error_code":429,"parameters":{"retry_after":31}}`, want: 31 * time.Second, only: "telegram"},
			{body: `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":32000}`, want: 32 * time.Second, only: "matrix"},
		} {
			if after.only != "" && after.only != v.name {
				continue
			}
			server := newServerOf(t, func(w http.ResponseWriter, _ request) {
				if after.header != "" {
					w.Header().Set("Retry-After", after.header)
				}
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = io.WriteString(w, after.body)
			})
			s := openSender(t, fmt.Sprintf(v.config, server.URL))
			_, err := s.send(context.Background(), messagesOf(t, s.eachOnItsOwn())[0])
			var wait *waitError
			require.ErrorAs(t, err, &wait, v.name)
			assert.Equal(t, after.want, wait.delay, v.name)
		}
	}
}

// A certificate that nobody vouches for is refused.
func TestTLSIsVerified(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	for _, v := range vendors {
		s := openSender(t, fmt.Sprintf(v.config, server.URL))
		_, err := s.send(t.Context(), messagesOf(t, s.eachOnItsOwn())[0])
		require.ErrorContains(t, err, "certificate", v.name)
	}
}

// A body by a template, and templates that can't work.
func TestBodyTemplate(t *testing.T) {
	t.Parallel()
	server := newServerOf(t, func(http.ResponseWriter, request) {})
	s := openSender(t, `type: webhook, url: "`+server.URL+`", content_type: text/plain, body: "{{.Status}} {{.Title | json}}{{range .Alerts}} {{.Host}}{{end}}"`)
	_, err := s.send(t.Context(), messagesOf(t, false)[0])
	require.NoError(t, err)
	assert.Equal(t, `firing "WARNING disk_full on db1: /data" db1`, string(server.requests()[0].body))
	assert.Equal(t, "text/plain", server.requests()[0].header.Get("Content-Type"))
	for _, bad := range []string{"{{.Nope}}", "{{", "{{range .Alerts}}{{.Nope}}{{end}}"} {
		_, err := configOf(t, `channels: {one: {type: webhook, url: "http://x/", body: "`+bad+`"}}`)
		require.ErrorContains(t, err, "body", bad)
	}
}

// The chats' markup: what stands in texts of others is no markup.
func TestMarkup(t *testing.T) {
	t.Parallel()
	m := messagesOf(t, false)[1]
	var b bytes.Buffer
	for name, u := range map[string]markup{"slack": slackMarkup, "html": htmlMarkup, "markdown": markdown} {
		text := m.marked(u, 3000)
		assert.LessOrEqual(t, len([]rune(text)), 3000)
		assert.NotContains(t, strings.ReplaceAll(text, "<b>Wh", ""), "<b>&", name)
		b.WriteString(text)
	}
	assert.Contains(t, m.marked(markdown, 5000), `\*bold\*`)
	assert.Contains(t, m.marked(slackMarkup, 5000), `&lt;b&gt;&amp;`)
}
