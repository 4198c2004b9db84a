package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rivo/tview"
)

// lengths are those that the form offers for a silence.
var lengths = []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 8 * time.Hour, 24 * time.Hour, 72 * time.Hour, 168 * time.Hour}

// askAboutAlerts shows a form with the alerts that fire and what can be done about them.
func (s *screen) askAboutAlerts() {
	firing := s.snapshot.alerts.firing()
	names := make([]string, len(firing))
	for i := range firing {
		names[i] = clean(firing[i].Severity) + " " + firing[i].subject()
	}
	if len(names) == 0 {
		return
	}
	texts := make([]string, len(lengths))
	for i, l := range lengths {
		texts[i] = lasting(float64(l.Milliseconds()))
	}
	chosen, length := 0, 2
	by, comment := s.options.by, s.options.comment
	form := tview.NewForm().
		AddDropDown("alert", names, 0, func(_ string, i int) { chosen = max(i, 0) }).
		AddDropDown("silence for", texts, length, func(_ string, i int) { length = max(i, 0) }).
		AddInputField("I am", by, 30, nil, func(text string) { by = text }).
		AddInputField("because", comment, 60, nil, func(text string) { comment = text })
	do := func(act func(context.Context, *alert) error) func() {
		return func() {
			s.closeForm()
			a := firing[chosen]
			go func() {
				err := act(s.ctx, &a)
				s.app.QueueUpdateDraw(func() { s.trouble = err })
				s.ask(live)
			}()
		}
	}
	form.AddButton("acknowledge", do(func(ctx context.Context, a *alert) error { return s.client.acknowledge(ctx, a.ID, by, comment) })).
		AddButton("silence this alert", do(func(ctx context.Context, a *alert) error {
			return s.client.silence(ctx, silence{Alert: a.ID, By: by, Comment: comment}, lengths[length])
		})).
		AddButton("silence its rule", do(func(ctx context.Context, a *alert) error {
			return s.client.silence(ctx, silence{Rule: a.Rule, By: by, Comment: comment}, lengths[length])
		})).
		AddButton("back", s.closeForm).
		SetCancelFunc(s.closeForm)
	form.SetBorder(true).SetTitle(fmt.Sprintf(" %d alerts fire: what to do about one? Esc goes back ", len(firing)))
	s.form = true
	s.app.SetRoot(form, true).SetFocus(form)
}

func (s *screen) closeForm() {
	s.form = false
	s.app.SetRoot(s.layout, true).SetFocus(s.table)
}
