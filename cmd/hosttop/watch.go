package main

import (
	"context"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// hints are the keys, the most needed first: those that do not fit are left out.
var hints = []string{"q quit", "/ filter", "t tree", "c m i p n sort", "←→ time", "l live", "space stop", "f freeze", "a alerts", "g groups"}

// screen is the terminal: it asks in one goroutine, and draws in that of tview.
type screen struct {
	client *client
	app    *tview.Application
	upper  *tview.TextView
	table  *tview.TextView
	status *tview.TextView
	filter *tview.InputField
	layout *tview.Flex

	order    arrangement
	frozen   map[[2]int64]int
	groups   bool   // are shown in place of the processes
	chosen   int    // of the groups
	offset   int    // rows above the first that is shown
	page     int    // rows that are shown
	at       *int64 // nil: now
	paused   bool
	snapshot *snapshot
	trouble  error
	moves    chan move
	form     bool // What to do about alerts is asked instead.
	options  options
	ctx      context.Context //nolint:containedctx // Of the screen, for what its keys begin.
}

// move is what the keys ask of the goroutine that looks.
type move int

const (
	earlier move = iota
	later
	live
	pause
)

func watch(ctx context.Context, c *client, o options) error {
	first, err := c.look(ctx, nil)
	if err != nil {
		return err
	}
	s := newScreen(c, o)
	s.snapshot = first
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.ctx = ctx
	go s.look(ctx, o.interval)
	go func() {
		<-ctx.Done()
		s.app.Stop()
	}()
	return s.app.Run()
}

func newScreen(c *client, o options) *screen {
	text := func() *tview.TextView { return tview.NewTextView().SetDynamicColors(true).SetWrap(false) }
	s := &screen{
		client: c, app: tview.NewApplication(), upper: text(), table: text(), status: text(),
		filter: tview.NewInputField().SetLabel("filter: ").SetFieldBackgroundColor(tcell.ColorDefault),
		order:  arrangement{sort: o.sort, filter: o.filter, tree: o.tree}, moves: make(chan move, 16), options: o, groups: o.groups,
	}
	for _, box := range []*tview.Box{s.upper.Box, s.table.Box, s.status.Box, s.filter.Box} {
		box.SetBackgroundColor(tcell.ColorDefault)
	}
	for _, t := range []*tview.TextView{s.upper, s.table, s.status} {
		t.SetTextColor(tcell.ColorDefault)
	}
	s.filter.SetText(o.filter).SetChangedFunc(func(text string) {
		s.order.filter = text
		s.offset = 0
	})
	s.filter.SetDoneFunc(func(tcell.Key) { s.app.SetFocus(s.table) })
	s.layout = tview.NewFlex().SetDirection(tview.FlexRow).AddItem(s.upper, 0, 1, false).AddItem(s.table, 0, 1, true).AddItem(s.filter, 0, 0, false).AddItem(s.status, 1, 0, false)
	s.app.SetRoot(s.layout, true).SetFocus(s.table).SetInputCapture(s.key)
	s.app.SetBeforeDrawFunc(func(t tcell.Screen) bool {
		width, height := t.Size()
		s.fill(width, height)
		return false
	})
	return s
}

// look asks at every interval, and after each key that moves in time.
func (s *screen) look(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	meta := time.Now()
	at := (*int64)(nil)
	table := s.snapshot.table
	paused := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if paused || at != nil {
				continue
			}
		case m := <-s.moves:
			at, paused = step(m, at, paused, &table)
		}
		if time.Since(meta) > 30*time.Second {
			s.client.refresh()
			meta = time.Now()
		}
		found, err := s.client.look(ctx, at)
		if ctx.Err() != nil {
			return
		}
		if found != nil {
			table = found.table
		}
		now, stopped := at, paused
		s.app.QueueUpdateDraw(func() {
			s.at, s.paused, s.trouble = now, stopped, err
			if found != nil {
				s.snapshot = found
			}
		})
	}
}

// step is where a key leads: the table before or after the one that is shown, or now.
func step(m move, at *int64, paused bool, table *processTable) (*int64, bool) {
	switch m {
	case earlier:
		if table.Previous != nil {
			return table.Previous, true
		}
		return at, paused
	case later:
		if at == nil || table.Next == nil {
			return nil, false
		}
		return table.Next, true
	case pause:
		if paused {
			return nil, false
		}
		return table.T, true
	default:
		return nil, false
	}
}

func (s *screen) key(e *tcell.EventKey) *tcell.EventKey {
	if e.Key() == tcell.KeyCtrlC {
		s.app.Stop()
		return nil
	}
	if s.filter.HasFocus() || s.form {
		return e
	}
	switch e.Key() {
	case tcell.KeyLeft:
		s.ask(earlier)
	case tcell.KeyRight:
		s.ask(later)
	case tcell.KeyUp:
		s.scroll(-1)
	case tcell.KeyDown:
		s.scroll(1)
	case tcell.KeyPgUp:
		s.scroll(-s.page)
	case tcell.KeyPgDn:
		s.scroll(s.page)
	case tcell.KeyHome:
		s.offset, s.chosen = 0, 0
	case tcell.KeyEnter:
		s.drill()
	case tcell.KeyRune:
		s.rune(e.Rune())
	default:
		return e
	}
	return nil
}

// scroll moves the rows of processes, or the choice of a group.
func (s *screen) scroll(n int) {
	if s.groups {
		s.chosen += n
	} else {
		s.offset += n
	}
}

// drill shows the processes of the group that is chosen.
func (s *screen) drill() {
	rows := arrangeGroups(s.snapshot.groups.read(), s.order.sort)
	if !s.groups || s.chosen >= len(rows) {
		return
	}
	s.groups, s.offset = false, 0
	s.filter.SetText("=" + rows[s.chosen].path)
}

func (s *screen) ask(m move) {
	select {
	case s.moves <- m:
	default:
	}
}

func (s *screen) rune(r rune) {
	switch r {
	case 'q':
		s.app.Stop()
	case ' ':
		s.ask(pause)
	case 'l':
		s.ask(live)
	case 't':
		s.order.tree = !s.order.tree
	case 'f':
		s.freeze()
	case 'a':
		s.askAboutAlerts()
	case 'g':
		s.groups = !s.groups
		s.offset = 0
	case '/':
		s.app.SetFocus(s.filter)
	default:
		for _, name := range orderNames {
			if rune(name[0]) == r {
				s.order.sort = name
				s.frozen = nil
			}
		}
	}
}

func (s *screen) freeze() {
	if s.frozen != nil {
		s.frozen = nil
		return
	}
	s.frozen = map[[2]int64]int{}
	for i, p := range arrange(s.snapshot.processes, s.order) {
		s.frozen[[2]int64{int64(p.pid), p.created}] = i
	}
}

// fill puts what is known into the views, for a size.
func (s *screen) fill(width, height int) {
	if s.snapshot == nil {
		return
	}
	upper := top(s.snapshot, width)
	most := max(3, height*3/5)
	if len(upper) > most {
		upper = upper[:most]
	}
	s.layout.ResizeItem(s.upper, len(upper), 0)
	filtering := 0
	if s.filter.HasFocus() || s.order.filter != "" && !s.groups {
		filtering = 1
	}
	s.layout.ResizeItem(s.filter, filtering, 0)
	s.upper.SetText(join(upper))
	s.status.SetText(s.state(width).tagged())
	if s.groups {
		s.fillGroups(width, height-len(upper)-filtering-1)
		return
	}
	rows := arrange(s.snapshot.processes, s.order)
	if s.frozen != nil {
		rows = keep(rows, s.frozen)
	}
	s.page = max(1, height-len(upper)-filtering-1-len(processLines(s.snapshot, nil, 1, width)))
	s.offset = max(0, min(s.offset, len(rows)-s.page))
	shown := rows[s.offset:min(len(rows), s.offset+s.page)]
	s.table.SetText(join(processLines(s.snapshot, shown, len(rows)-s.offset-len(shown), width)))
}

// fillGroups puts the groups into the place of the processes, so that the chosen one is seen.
func (s *screen) fillGroups(width, height int) {
	rows := arrangeGroups(s.snapshot.groups.read(), s.order.sort)
	s.page = max(1, height-len(groupLines(s.snapshot, nil, 1, -1, width)))
	s.chosen = max(0, min(s.chosen, len(rows)-1))
	s.offset = max(0, min(s.offset, s.chosen), s.chosen-s.page+1)
	shown := rows[min(s.offset, len(rows)):min(len(rows), s.offset+s.page)]
	s.table.SetText(join(groupLines(s.snapshot, shown, len(rows)-s.offset-len(shown), s.chosen-s.offset, width)))
}

// state is the last line: whether it is live, the order of the rows, and as many keys as fit.
func (s *screen) state(width int) line {
	l := line{{"● live ", green}}
	if s.paused {
		l = line{{"◆ stopped ", orange}}
	}
	if s.trouble != nil {
		l = line{{"▲ " + clean(s.trouble.Error()) + " ", alarm}}
	}
	if s.frozen != nil {
		l = append(l, span{"frozen ", orange})
	}
	l = append(l, span{"by " + s.order.sort, strong})
	for _, h := range hints {
		hint := span{"  " + h, muted}
		if len([]rune(l.plain()+hint.text)) > width {
			break
		}
		l = append(l, hint)
	}
	return l
}

func join(lines []line) string {
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.tagged()
	}
	return strings.Join(texts, "\n")
}
