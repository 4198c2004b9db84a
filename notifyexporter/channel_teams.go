package notifyexporter

import (
	"context"
	"errors"
	"maps"

	"go.opentelemetry.io/collector/config/configopaque"
)

// teamsOptions are the keys of channels of type teams: a workflow "when a Teams webhook request is received".
type teamsOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is the address of the workflow. It is a secret.
	URL configopaque.String `mapstructure:"url"`
}

func newTeamsOptions() options { return &teamsOptions{httpOptions: newHTTPOptions()} }

func (o *teamsOptions) Validate() error {
	return errors.Join(o.valid(), validURL(string(o.URL), "https://….logic.azure.com/workflows/…"))
}

func (o *teamsOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.URL))
	return &teamsSender{ofGroup{p}, o}, err
}

type teamsSender struct {
	ofGroup
	options *teamsOptions
}

const (
	cardSchema = "http://adaptivecards.io/schemas/adaptive-card.json"
	// maxCardText bounds each text of a card, in characters, and maxCard all of it, in bytes. A message of more than 28 KB is refused.
	maxCardText = 1000
	maxCard     = 24 << 10
)

// card is the adaptive card of a message.
func card(m *message) map[string]any {
	style := map[bool]string{true: "good", false: "attention"}[m.Status == "resolved"]
	switch {
	case m.Acknowledged:
		style = "accent"
	case m.Status == "firing" && m.Number < 17:
		style = "warning"
	}
	block := func(text string, more map[string]any) map[string]any {
		b := map[string]any{"type": "TextBlock", "text": cutTo(text, maxCardText), "wrap": true}
		maps.Copy(b, more)
		return b
	}
	body := []any{map[string]any{
		"type": "Container", "style": style, "bleed": true, "items": []any{block(m.Title, map[string]any{"weight": "Bolder", "size": "Medium"})},
	}}
	if m.Plain {
		return map[string]any{
			"$schema": cardSchema, "type": "AdaptiveCard", "version": "1.4", "body": []any{block(m.short(1000), nil)},
		}
	}
	for _, line := range m.Intro {
		body = append(body, block(line, nil))
	}
	for _, line := range m.More {
		body = append(body, block("• "+line, nil))
	}
	actions := []any{}
	for i := range m.Alerts {
		s := &m.Alerts[i]
		if len(m.items) > 1 {
			body = append(body, block(s.Headline, map[string]any{"weight": "Bolder", "separator": true}))
		}
		for _, text := range []string{s.Lead, s.Text} {
			if text != "" {
				body = append(body, block(text, nil))
			}
		}
		var facts []any
		for _, f := range s.Facts[:min(len(s.Facts), 12)] {
			facts = append(facts, map[string]any{"title": f.Name, "value": cutTo(f.Text, 200)})
		}
		if len(facts) > 0 {
			body = append(body, map[string]any{"type": "FactSet", "facts": facts})
		}
		for _, l := range s.Links {
			if len(actions) < 5 && len(l.URL) <= 1000 {
				actions = append(actions, map[string]any{"type": "Action.OpenUrl", "title": l.Name, "url": l.URL})
			}
		}
	}
	for len(body) > 1 && sizeOf(body)+sizeOf(actions) > maxCard {
		body = body[:len(body)-1]
	}
	return map[string]any{
		"$schema": cardSchema, "type": "AdaptiveCard", "version": "1.4", "body": body, "actions": actions,
		"msteams": map[string]any{"width": "Full"},
	}
}

func (s *teamsSender) send(ctx context.Context, m *message) (string, error) {
	return s.postJSON(ctx, string(s.options.URL), nil, map[string]any{
		"type":        "message",
		"attachments": []any{map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card(m)}},
	})
}
