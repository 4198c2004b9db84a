package hostpageexporter

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

const (
	// snapshotWidth is how many points a series has in a snapshot that does not say.
	snapshotWidth = 1200
	// snapshotCells bounds the values of a snapshot, and so its size: about 6 bytes each.
	snapshotCells = 1_500_000
	// snapshotTables is how many process tables a snapshot has, beside those of the alerts that began in its time.
	snapshotTables = 60
	// snapshotChanges is of how many alerts, the newest, a snapshot says what moved at their beginning.
	snapshotChanges = 60
)

// snapshotFrame is the page around the data of a snapshot. It is index.html with its files within it.
type snapshotFrame struct{ head, middle, tail string }

// newSnapshotFrame puts the files of the page into one. The policy of the file lets nothing run but the page's own script.
func newSnapshotFrame(files fs.FS) (*snapshotFrame, error) {
	var text [5]string
	for i, name := range []string{"index.html", "page.css", "page.js", "groups.js", "facts.js"} {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		text[i] = string(b)
	}
	index, css, js, more := text[0], text[1], text[2], text[3]+text[4]
	const (
		icon   = "<link rel=\"icon\" href=\"icon.svg\">\n"
		style  = `<link rel="stylesheet" href="page.css">`
		script = `<script src="page.js" defer></script>`
	)
	for _, want := range []string{icon, style, script, "</body>"} {
		if strings.Count(index, want) != 1 {
			return nil, fmt.Errorf("index.html has no %q", want)
		}
	}
	if strings.Contains(js, "</script") || strings.Contains(more, "</script") || strings.Contains(css, "</style") {
		return nil, errors.New("the script or the style would end before its end")
	}
	policy := fmt.Sprintf(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src %s %s; style-src %s; img-src data:">`,
		sourceHash(more), sourceHash(js), sourceHash(css))
	index = strings.Replace(index, icon, policy+"\n", 1)
	index = strings.Replace(index, style, "<style>"+css+"</style>", 1)
	index = strings.Replace(index, script+"\n", "", 1)
	head, tail, _ := strings.Cut(index, "</body>")
	return &snapshotFrame{
		head: head + `<script type="application/json" id="snapshot">`, middle: "</script>\n<script>" + more + "</script>\n<script>" + js + "</script>\n", tail: "</body>" + tail,
	}, nil
}

// sourceHash is how a Content-Security-Policy names a script or style by its text.
func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// snapshot answers the page of a window of time as one file, which needs no server.
func (p *page) snapshot(a *answering) error {
	now := p.now()
	q := a.URL.Query()
	from, to, err := timesOf(q, time.Hour, now)
	if err != nil {
		return err
	}
	width := snapshotWidth
	if q.Has("width") {
		if width, err = widthOf(q); err != nil {
			return err
		}
	}
	catalogue := a.store.Catalogue(now)
	names, series := []string{}, 0
	for i := range catalogue.Metrics {
		names = append(names, catalogue.Metrics[i].Name)
		series += len(catalogue.Metrics[i].Series)
	}
	for width > 20 && width*series*3 > snapshotCells {
		width /= 2
	}
	a.header.Set("Content-Type", "text/html; charset=utf-8")
	a.header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", snapshotName(catalogue, to)))
	w := &snapshotWriter{answering: a, out: bufio.NewWriterSize(a.w, 64<<10)}
	w.text(p.frame.head)
	w.text(fmt.Sprintf(`{"from":%d,"to":%d,"meta":`, floorMillis(from), floorMillis(to)))
	w.answer(p.meta, nil)
	w.text(`,"range":`)
	if len(names) > 0 {
		w.answer(p.rangeOf, url.Values{"series": names, "from": {millisText(from)}, "to": {millisText(to)}, "width": {strconv.Itoa(width)}})
	} else {
		w.text(`{"store":"","groups":[]}`)
	}
	times := url.Values{"from": {millisText(from)}, "to": {millisText(to)}}
	w.text(`,"alerts":`)
	w.answer(p.alerts, times)
	episodes := a.store.Alerts(from, to).Episodes
	episodes = episodes[:min(len(episodes), snapshotChanges)]
	w.text(`,"changes":{`)
	for i := range episodes {
		if i > 0 {
			w.text(",")
		}
		w.value(episodes[i].Episode)
		w.text(":")
		w.answer(p.changes, url.Values{"episode": {episodes[i].Episode}})
	}
	w.text(`},"health":`)
	w.answer(p.health, nil)
	w.text(`,"tables":[`)
	w.tables(from, to, episodes, func(at int64) (int64, any) {
		t := a.store.Table(at)
		answer := p.tableAnswer(t)
		answer.At = millis(at)
		return t.Time, answer
	})
	w.text(`],"groups":[`)
	w.tables(from, to, episodes, func(at int64) (int64, any) {
		t := a.store.ControlGroups(at)
		answer := groupsOf(t)
		answer.At = millis(at)
		return t.Time, answer
	})
	w.text("]}")
	w.text(p.frame.middle)
	w.text(p.frame.tail)
	if w.err != nil {
		return w.err
	}
	return w.out.Flush()
}

// snapshotName is the name of the file: which host, and until when.
func snapshotName(c history.Catalogue, to int64) string {
	host := "host"
	if c.Host >= 0 && c.Host < len(c.Resources) {
		for _, x := range c.Resources[c.Host] {
			if x.Key == "host.name" {
				host = strings.Map(func(r rune) rune {
					if r == '.' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
						return r
					}
					return '_'
				}, x.Value)
			}
		}
	}
	return host[:min(len(host), 64)] + time.UnixMicro(to).UTC().Format("-20060102T150405Z") + ".html"
}

func millisText(us int64) string { return strconv.FormatInt(floorMillis(us), 10) }

// snapshotWriter writes the parts of a snapshot, each as the route of its name answers.
type snapshotWriter struct {
	*answering
	out *bufio.Writer
	err error
}

func (w *snapshotWriter) text(s string) {
	if w.err == nil {
		_, w.err = w.out.WriteString(s)
	}
}

// value writes JSON in which no text can end the script element that it stands in.
func (w *snapshotWriter) value(v any) {
	if w.err == nil {
		w.err = json.NewEncoder(w.out).Encode(v)
	}
}

// answer writes what a route answers.
func (w *snapshotWriter) answer(route func(*answering) error, query url.Values) {
	if w.err != nil {
		return
	}
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{RawQuery: query.Encode()}}
	w.err = route(&answering{Request: r.WithContext(w.Context()), store: w.store, w: w.out, header: http.Header{}, status: func(int) {}})
}

// tables writes the tables of the window: so many as are evenly apart, and those at the beginnings of alerts. table is that of a time, and when it was.
func (w *snapshotWriter) tables(from, to int64, episodes []history.Episode, table func(at int64) (int64, any)) {
	moments := make([]int64, 0, snapshotTables+len(episodes))
	for i := range int64(snapshotTables) {
		moments = append(moments, from+(to-from)*(i+1)/snapshotTables)
	}
	for i := range episodes {
		if t := episodes[i].Started; from <= t && t < to {
			moments = append(moments, t)
		}
	}
	written := map[int64]bool{0: true}
	for _, at := range moments {
		taken, answer := table(at)
		if written[taken] {
			continue
		}
		if len(written) > 1 {
			w.text(",")
		}
		written[taken] = true
		w.value(answer)
	}
}
