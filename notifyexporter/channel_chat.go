package notifyexporter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
)

// The types of channels that post into a chat.
const (
	typeSlack    = "slack"
	typeTeams    = "teams"
	typeDiscord  = "discord"
	typeTelegram = "telegram"
	typeMatrix   = "matrix"
)

// ofGroup is what senders have that tell several alerts in one message.
type ofGroup struct{ *poster }

func (ofGroup) eachOnItsOwn() bool { return false }

// slackOptions are the keys of channels of type slack: an incoming webhook of Slack, Mattermost or Rocket.Chat.
type slackOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is the address of the incoming webhook. It is a secret.
	URL configopaque.String `mapstructure:"url"`
	// Channel, Username and IconEmoji take the place of those of the webhook, where it allows that.
	Channel   string `mapstructure:"channel"`
	Username  string `mapstructure:"username"`
	IconEmoji string `mapstructure:"icon_emoji"`
}

func newSlackOptions() options { return &slackOptions{httpOptions: newHTTPOptions()} }

func (o *slackOptions) Validate() error {
	return errors.Join(o.valid(), validURL(string(o.URL), "https://hooks.slack.com/services/…"))
}

func (o *slackOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.URL))
	return &slackSender{ofGroup{p}, o}, err
}

type slackSender struct {
	ofGroup
	options *slackOptions
}

// slackMarkup is Slack's. Mattermost and Rocket.Chat read it, too.
var slackMarkup = markup{
	escape: strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace,
	bold:   func(text string) string { return "*" + text + "*" },
	link: func(text, address string) string {
		return "<" + strings.NewReplacer("|", "%7C", ">", "%3E", "<", "%3C").Replace(address) + "|" + text + ">"
	},
}

type slackMessage struct {
	Channel     string            `json:"channel,omitempty"`
	Username    string            `json:"username,omitempty"`
	IconEmoji   string            `json:"icon_emoji,omitempty"`
	Text        string            `json:"text"`
	Attachments []slackAttachment `json:"attachments"`
}

type slackAttachment struct {
	Fallback string   `json:"fallback"`
	Color    string   `json:"color"`
	Text     string   `json:"text"`
	MrkdwnIn []string `json:"mrkdwn_in"`
	Ts       int64    `json:"ts,omitempty"`
}

func (s *slackSender) send(ctx context.Context, m *message) (string, error) {
	color, _ := m.color()
	title := slackMarkup.fit(oneLine(m.Title), 300)
	if m.Plain {
		return s.postJSON(ctx, string(s.options.URL), nil, map[string]string{"text": slackMarkup.fit(m.short(1500), 2000)})
	}
	return s.postJSON(ctx, string(s.options.URL), nil, slackMessage{
		Channel: s.options.Channel, Username: s.options.Username, IconEmoji: s.options.IconEmoji, Text: m.symbol() + " *" + title + "*",
		Attachments: []slackAttachment{{Fallback: title, Color: color, Text: m.marked(slackMarkup, 3500), MrkdwnIn: []string{"text"}}},
	})
}

// discordOptions are the keys of channels of type discord.
type discordOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is the address of the webhook. It is a secret.
	URL      configopaque.String `mapstructure:"url"`
	Username string              `mapstructure:"username"`
}

func newDiscordOptions() options { return &discordOptions{httpOptions: newHTTPOptions()} }

func (o *discordOptions) Validate() error {
	return errors.Join(o.valid(), validURL(string(o.URL), "https://discord.com/api/webhooks/…"))
}

func (o *discordOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.URL))
	return &discordSender{ofGroup{p}, o}, err
}

type discordSender struct {
	ofGroup
	options *discordOptions
}

// markdown is that of Discord.
var markdown = markup{
	escape: strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "#", `\#`).Replace,
	bold:   func(text string) string { return "**" + text + "**" },
	link: func(text, address string) string {
		return "[" + text + "](" + strings.NewReplacer(")", "%29", "(", "%28").Replace(address) + ")"
	},
}

func (s *discordSender) send(ctx context.Context, m *message) (string, error) {
	_, color := m.color()
	if m.Plain {
		return s.postJSON(ctx, string(s.options.URL), nil, map[string]any{
			"content": markdown.fit(m.short(1200), 1900), "allowed_mentions": map[string]any{"parse": []string{}},
		})
	}
	body := map[string]any{
		"embeds": []any{map[string]any{
			"title": unitsTo(oneLine(m.symbol()+" "+m.Title), 250), "description": m.marked(markdown, 4000), "color": color,
		}},
		"allowed_mentions": map[string]any{"parse": []string{}},
	}
	if s.options.Username != "" {
		body["username"] = s.options.Username
	}
	return s.postJSON(ctx, string(s.options.URL), nil, body)
}

// telegramOptions are the keys of channels of type telegram.
type telegramOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is that of the Bot API.
	URL string `mapstructure:"url"`
	// Token is that of the bot.
	Token configopaque.String `mapstructure:"token"`
	// ChatID is a number, or @name of a public channel.
	ChatID string `mapstructure:"chat_id"`
	// Topic is the number of a topic of a forum.
	Topic int64 `mapstructure:"topic"`
}

func newTelegramOptions() options {
	return &telegramOptions{httpOptions: newHTTPOptions(), URL: "https://api.telegram.org"}
}

func (o *telegramOptions) Validate() error {
	errs := []error{o.valid(), validURL(o.URL, "https://api.telegram.org")}
	if o.Token == "" || strings.ContainsAny(string(o.Token), "/?# ") {
		errs = append(errs, errors.New("token is required: that of the bot, as BotFather gives it"))
	}
	if o.ChatID == "" {
		errs = append(errs, errors.New("chat_id is required: a number, or @name of a public channel"))
	}
	return errors.Join(errs...)
}

func (o *telegramOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.Token))
	return &telegramSender{ofGroup{p}, o}, err
}

type telegramSender struct {
	ofGroup
	options *telegramOptions
}

// htmlMarkup is the HTML that Telegram and Matrix read.
var htmlMarkup = markup{
	escape: html.EscapeString,
	bold:   func(text string) string { return "<b>" + text + "</b>" },
	link: func(text, address string) string {
		return `<a href="` + html.EscapeString(address) + `">` + text + "</a>"
	},
}

func (s *telegramSender) send(ctx context.Context, m *message) (string, error) {
	body := map[string]any{
		"chat_id": s.options.ChatID, "parse_mode": "HTML", "link_preview_options": map[string]any{"is_disabled": true},
		"text": "<b>" + htmlMarkup.fit(m.symbol()+" "+oneLine(m.Title), 500) + "</b>\n" + m.marked(htmlMarkup, 3500),
	}
	if m.Plain {
		delete(body, "parse_mode")
		body["text"] = m.short(2000)
	}
	if s.options.Topic != 0 {
		body["message_thread_id"] = s.options.Topic
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	answer, text, err := s.do(ctx, call{
		http.MethodPost, strings.TrimSuffix(s.options.URL, "/") + "/bot" + string(s.options.Token) + "/sendMessage", map[string]string{"Content-Type": "application/json"}, encoded,
	})
	return answer, waitInBody(err, text, func(b *waitBody) float64 { return b.Parameters.RetryAfter })
}

// waitBody is where Telegram and Matrix say when to come again.
type waitBody struct {
	Parameters struct {
		RetryAfter float64 `json:"retry_after"`
	} `json:"parameters"`
	RetryAfterMs float64 `json:"retry_after_ms"`
}

// waitInBody heeds what an answer says of when to come again, in seconds.
func waitInBody(err error, text []byte, seconds func(*waitBody) float64) error {
	var wait *waitError
	var b waitBody
	if err == nil || errors.As(err, &wait) || json.Unmarshal(text, &b) != nil {
		return err
	}
	if s := seconds(&b); s > 0 {
		return &waitError{err, time.Duration(min(s, longestDelay.Seconds()) * float64(time.Second))}
	}
	return err
}

// matrixOptions are the keys of channels of type matrix.
type matrixOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is that of the homeserver.
	URL string `mapstructure:"url"`
	// Token is the access token of a user who is in the room.
	Token configopaque.String `mapstructure:"token"`
	// Room is the ID of the room, such as !abc:example.org.
	Room string `mapstructure:"room"`
}

func newMatrixOptions() options { return &matrixOptions{httpOptions: newHTTPOptions()} }

func (o *matrixOptions) Validate() error {
	errs := []error{o.valid(), validURL(o.URL, "https://matrix.example.org")}
	if o.Token == "" {
		errs = append(errs, errors.New("token is required: the access token of a user who is in the room"))
	}
	if !strings.HasPrefix(o.Room, "!") {
		errs = append(errs, fmt.Errorf("room: %q is no ID of a room such as !abc:example.org", o.Room))
	}
	return errors.Join(errs...)
}

func (o *matrixOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.Token))
	return &matrixSender{ofGroup{p}, o}, err
}

type matrixSender struct {
	ofGroup
	options *matrixOptions
}

func (s *matrixSender) send(ctx context.Context, m *message) (string, error) {
	title := m.symbol() + " " + oneLine(cutTo(m.Title, 200))
	event := map[string]any{
		"msgtype": "m.text", "body": title + "\n" + bytesOf(m.plain(), 15_000), "format": "org.matrix.custom.html",
		"formatted_body": "<b>" + html.EscapeString(title) + "</b><br/>" + strings.ReplaceAll(m.marked(htmlMarkup, 8000), "\n", "<br/>"),
	}
	// The transaction's ID lets the server drop a second one of the same message.
	transaction := m.ID
	if m.Plain {
		event, transaction = map[string]any{"msgtype": "m.text", "body": m.short(2000)}, m.ID+"-short"
	}
	body, err := json.Marshal(event)
	if err != nil {
		return "", err
	}
	to := strings.TrimSuffix(s.options.URL, "/") + "/_matrix/client/v3/rooms/" + url.PathEscape(s.options.Room) + "/send/m.room.message/" + transaction
	answer, text, err := s.do(ctx, call{
		http.MethodPut, to, map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + string(s.options.Token)}, body,
	})
	return answer, waitInBody(err, text, func(b *waitBody) float64 { return b.RetryAfterMs / 1000 })
}
