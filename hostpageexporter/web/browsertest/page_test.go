package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/fakehost"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/weight"
)

var fixedTime = time.UnixMilli(time.Now().Truncate(30*time.Minute).UnixMilli() + 1_000_000)

// fixed is a clock that stands still, so that values are known.
func fixed() time.Time { return fixedTime }

func TestRenders(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 4, Disks: 3, Processes: 60}))
	b.until("it is live", `document.querySelector('.state').textContent.startsWith('● live')`)
	if n := eval[int](b, `document.querySelectorAll('#charts .uplot canvas').length`); n != 6 {
		t.Errorf("expected 6 charts, got %d", n)
	}
	if got := eval[string](b, text(".firing")); !strings.Contains(got, "97 % > 95 %") {
		t.Errorf("an alert has no value and threshold: %s", got)
	}
	blank := `[...document.querySelectorAll('#charts canvas')].filter(c => {
		const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
		return !d.some(v => v !== 0);
	}).length`
	if n := eval[int](b, blank); n > 0 {
		t.Errorf("%d charts are blank", n)
	}
	names := eval[[]string](b, `performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.includes('/api/') && !n.endsWith('/health'))`)
	if len(names) > 3 {
		t.Errorf("expected two files and the icon beside the page, got %v", names)
	}
	for _, n := range names {
		if !strings.HasPrefix(n, b.url) {
			t.Errorf("%s is asked for elsewhere", n)
		}
	}
	b.noFaults()
}

func TestFiguresAgreeWithTheAPI(t *testing.T) {
	s := fakehost.New(fakehost.Options{CPUs: 4, Disks: 3, Processes: 60, Now: fixed})
	now := fixed().UnixMilli()
	b := open(t, serve(t, fakehost.Options{CPUs: 4, Disks: 3, Processes: 60, Now: fixed})+"#at="+time.UnixMilli(now-5000).UTC().Format("2006-01-02T15:04:05.000Z")+"&span=5m")
	answer := `fetch('/api/range?series=%s&from=%d&to=%d&width=600').then(r => r.json()).then(r => r.groups[0].series.map(s => s.avg.at(-1)))`
	values := func(metric string) []float64 {
		return eval[[]float64](b, fmt.Sprintf(answer, metric, now-8000, now-4999))
	}
	var busy []string
	modes := values("system.cpu.utilization") // Of each CPU, with iowait fourth and idle last: in these nothing runs.
	for cpu := range slices.Chunk(modes, 7) {
		busy = append(busy, percent(1-cpu[6]-cpu[3]))
	}
	var got []string
	for _, row := range b.table("Each CPU") {
		got = append(got, row[1])
	}
	if !slices.Equal(got, busy) {
		t.Errorf("each CPU: expected %v, got %v", busy, got)
	}
	rows := s.Processes(now - 5000)["rows"].([][]any)
	most := slices.MaxFunc(rows, func(a, b []any) int {
		if number(a[6]) < number(b[6]) {
			return -1
		}
		return 1
	})
	b.until("the table is that of the cursor", `document.querySelector('section[aria-label=Processes] h2').textContent.includes('cursor')`)
	first := eval[[]string](b, `[...document.querySelectorAll('.processes tbody tr')[0].cells].map(c => c.textContent)`)
	if first[0] != fmt.Sprint(most[0]) || first[1] != most[3] || first[3] != percent(number(most[6])) {
		t.Errorf("expected %v as the busiest process, got %v", most, first)
	}
	foot := eval[[]string](b, `[...document.querySelectorAll('.processes tfoot tr')].slice(-2).map(r => r.cells[3].textContent)`)
	if foot[0] != foot[1] {
		t.Errorf("the processes together are %s, the CPUs did %s", foot[0], foot[1])
	}
	b.noFaults()
}

func number(v any) float64 {
	switch n := v.(type) {
	case float64:
		return n
	case int:
		return float64(n)
	default:
		return 0
	}
}

// percent writes a share as the page does.
func percent(v float64) string {
	p := v * 100
	switch {
	case p != 0 && p < 0.05:
		return "<0.1 %"
	case p < 9.95:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", p), ".0") + " %"
	default:
		return fmt.Sprintf("%.0f %%", p)
	}
}

func TestKeyboardAlone(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 40}))
	b.press("/")
	b.press("nginx")
	b.until("the filter works", `[...document.querySelectorAll('.processes tbody tr')].every(r => r.textContent.includes('nginx'))`)
	b.press("\x1b")
	b.press("t")
	b.until("the tree is chosen", `location.hash.includes('group=tree')`)
	b.press(" ")
	b.until("it is paused", `document.querySelector('.state').textContent.includes('paused')`)
	b.press("l")
	b.until("it is live again", `!location.hash.includes('from=')`)
	b.press("4")
	b.until("the window is an hour", `location.hash.includes('span=1h')`)
	b.press("[")
	b.until("it panned", `location.hash.includes('from=')`)
	before := eval[string](b, "location.hash")
	b.press("+")
	b.until("it zoomed", fmt.Sprintf("location.hash !== %q", before))
	b.press("l")
	b.do(chromedp.KeyEvent("\u0302")) // The arrow to the left.
	b.until("the cursor is set", `location.hash.includes('at=')`)
	b.until("the table follows", `document.querySelector('section[aria-label=Processes] h2').textContent.includes('cursor')`)
	b.press("\x1b")
	b.until("the cursor is gone", `!location.hash.includes('at=')`)
	b.press("a")
	b.until("an alert is open, with what changed", `!document.querySelector('.detail').hidden && document.querySelector('.detail').textContent.includes('stress')`)
	b.press("\x1b")
	b.until("it is closed", `document.querySelector('.detail').hidden`)
	b.press("?")
	b.until("the keys are shown", `!document.getElementById('help').hidden`)
	b.press("\x1b")
	b.until("and hidden", `document.getElementById('help').hidden`)
	// Every control is reached by the tabulator, and shows that it is.
	reached := eval[int](b, `(document.body.focus(), document.querySelectorAll('button, input, select, [tabindex="0"]').length)`)
	seen := map[string]bool{}
	for range reached + 5 {
		b.press("\t")
		seen[eval[string](b, `(e => e.outerHTML.slice(0, 200) + getComputedStyle(e).outlineStyle)(document.activeElement)`)] = true
	}
	for s := range seen {
		if strings.HasPrefix(s, "<button") && strings.HasSuffix(s, "none") {
			t.Errorf("a button does not show that it has the focus: %s", s)
		}
	}
	if len(seen) < 20 {
		t.Errorf("the tabulator reaches only %d controls", len(seen))
	}
	b.noFaults()
}

func TestStateIsInTheURL(t *testing.T) {
	now := time.Now().UTC()
	at := func(d time.Duration) string { return now.Add(d).Format("2006-01-02T15:04:05.000Z") }
	url := serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 40})
	b := open(t, url+"#from="+at(-10*time.Minute)+"&to="+at(-5*time.Minute)+"&at="+at(-7*time.Minute)+"&utc=1&sort=memory&filter=java&disks=ops")
	if got := eval[string](b, text(".window")); !strings.Contains(got, now.Add(-7*time.Minute).Format("15:04:05")) {
		t.Errorf("the cursor is at %s", got)
	}
	if got := eval[string](b, `document.querySelector('[aria-sort]').textContent`); got != "memory" {
		t.Errorf("sorted by %s", got)
	}
	if got := eval[string](b, `document.querySelector('section[aria-label=Disks] [aria-pressed=true]').textContent`); got != "ops" {
		t.Errorf("disks show %s", got)
	}
	b.until("the filter works", `[...document.querySelectorAll('.processes tbody tr')].every(r => r.textContent.includes('java'))`)
	b.noFaults()
}

func TestHostileNamesAreText(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 40, Hostile: true}))
	eval[any](b, `document.querySelector('.chip').click()`)
	b.until("the alert is open", `document.querySelector('.detail').textContent.includes('stress') || document.querySelector('.detail').textContent.includes('<img')`)
	places := []string{"h1", ".processes tbody", ".fs tbody", ".detail", ".chip + .chip"}
	for _, place := range places {
		b.until(place+" shows the name as text", fmt.Sprintf("%s.includes(%q)", text(place), fakehost.Markup))
	}
	if n := eval[int](b, `document.querySelectorAll('img, script:not([src])').length`); n != 0 {
		t.Errorf("%d elements were made of names", n)
	}
	if got := eval[string](b, "document.title"); got == "owned" {
		t.Error("a name ran as code")
	}
	b.noFaults()
}

func TestAxeFindsNothing(t *testing.T) {
	axe, err := os.ReadFile("axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, serve(t, fakehost.Options{CPUs: 4, Disks: 3, Processes: 60, Actions: true}))
	b.until("alerts can be silenced", `window.hostPageActions !== undefined`)
	for _, scheme := range []string{"dark", "light"} {
		for name, keys := range map[string][]string{"first screen": {}, "help": {"?"}, "alert": {"a"}, "tree": {"t"}} {
			t.Run(scheme+" "+name, func(t *testing.T) {
				media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
				if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
					t.Fatal(err)
				}
				b.press(keys...)
				eval[any](b, `[...document.querySelectorAll('.head button')].filter(b => b.textContent === 'table' && b.getAttribute('aria-pressed') === 'false').slice(0, 1).forEach(b => b.click())`)
				b.until("colours have changed", `document.getAnimations().every(a => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)`)
				found := eval[[]string](b, string(axe)+`;axe.run({resultTypes: ['violations']}).then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).slice(0, 3).join('; ')))`)
				for _, f := range found {
					t.Error(f)
				}
				b.press("\x1b", "l")
			})
		}
	}
}

// countScrapes counts what the stream has brought, and says where the window began that was loaded last.
const countScrapes = `window.scrapes = 0;
window.EventSource = class extends EventSource {
	constructor(url) {
		super(url);
		this.addEventListener('scrape', () => { scrapes++; });
	}
};
window.loadedFrom = 0;
const json = Response.prototype.json;
Response.prototype.json = async function() {
	const answer = await json.call(this);
	const url = new URL(this.url);
	// The page takes the answer before the next task.
	if (url.pathname.endsWith('api/range')) setTimeout(() => { loadedFrom = Number(url.searchParams.get('from')); });
	return answer;
};`

func TestPauseKeepsItsData(t *testing.T) {
	b := openWith(t, serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 10})+"#span=1m", nil, countScrapes)
	b.until("it is live", `document.querySelector('.state').textContent.startsWith('● live')`)
	b.press(" ")
	b.until("it is paused", `location.hash.includes('from=')`)
	// The window where it was paused is fetched once more, with three per cent beside it.
	b.until("the paused window is loaded", `Math.abs(loadedFrom - (Date.parse(new URLSearchParams(location.hash.slice(1)).get('from')) - 1800)) <= 2`)
	eval[any](b, `document.querySelector('section[aria-label=Memory] .quiet').click()`)
	// The values of the last column stay, whatever comes in the meantime.
	cells := `[...document.querySelectorAll('section[aria-label=Memory] .values td')].map(c => c.textContent).join()`
	b.until("the table has values", cells+` !== ''`)
	before := eval[string](b, cells)
	b.until("three scrapes have come", fmt.Sprintf("scrapes >= %d", eval[int](b, "scrapes")+3))
	if after := eval[string](b, cells); after != before {
		t.Errorf("a paused chart changed from %s to %s", before, after)
	}
}

func TestManyCPUsAndDisks(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 256, Disks: 1000, Processes: 300}))
	b.until("each CPU is drawn", `document.querySelector('section[aria-label="Each CPU"] canvas').width > 100`)
	b.noFaults()
}

// TestSize holds what a browser loads, in three requests.
func TestSize(t *testing.T) {
	raw, packed, err := weight.Of("../dist")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d compressed", raw, packed)
	if raw > weight.MaxRaw || packed > weight.MaxPacked {
		t.Errorf("expected %d bytes and %d compressed at most, got %d and %d", weight.MaxRaw, weight.MaxPacked, raw, packed)
	}
}

// TestPointer: what the mouse does on a chart.
func TestPointer(t *testing.T) {
	b := open(t, serve(t, fakehost.Options{CPUs: 2, Disks: 2, Processes: 10})+"#span=5m")
	eval[any](b, `window.pointer = (type, at, more = {}) => {
		const over = document.querySelector('section[aria-label=Memory] .u-over'), box = over.getBoundingClientRect();
		const target = type === 'mouseup' ? document : over;
		target.dispatchEvent(new MouseEvent(type, {bubbles: true, cancelable: true, clientX: box.left + at * box.width, clientY: box.top + 20, movementX: 9, ...more}));
	}`)
	line := `document.querySelector('section[aria-label=Memory] .u-cursor-x')`
	eval[any](b, `pointer('mouseenter', 0.5), pointer('mousemove', 0.5)`)
	b.until("the cursor is shown", `document.querySelector('.window').textContent.startsWith('◇')`)
	b.until("its line is drawn", line+`.classList.contains('u-off') === false && `+line+`.style.transform !== ''`)
	b.until("each chart has it", `[...document.querySelectorAll('#charts .u-cursor-x')].every(c => !c.classList.contains('u-off'))`)
	press := `['mousedown', 'mouseup', 'click'].forEach(t => pointer(t, 0.5));`
	eval[any](b, press)
	b.until("it is pinned", `location.hash.includes('at=')`)
	eval[any](b, press+`pointer('mouseleave', 0.5)`)
	b.until("it is let go", `!location.hash.includes('at=') && `+line+`.classList.contains('u-off')`)

	eval[any](b, `pointer('mousedown', 0.2), pointer('mousemove', 0.3), pointer('mousemove', 0.4)`)
	b.until("the selection is shown", `document.querySelector('section[aria-label=Memory] .u-select').clientWidth > 20`)
	eval[any](b, `pointer('mousemove', 0.6), pointer('mouseup', 0.6)`)
	b.until("it zoomed", `location.hash.includes('from=')`)
	length := eval[float64](b, `(p => Date.parse(p.get('to')) - Date.parse(p.get('from')))(new URLSearchParams(location.hash.slice(1)))`)
	if length < 110_000 || length > 130_000 {
		t.Errorf("two fifths of five minutes are %.0f ms", length)
	}
	b.until("the selection is gone", `document.querySelector('section[aria-label=Memory] .u-select').clientWidth === 0`)
	eval[any](b, `pointer('dblclick', 0.5)`)
	b.until("it is the window before", `!location.hash.includes('from=')`)
	b.noFaults()
}

func TestNoStreamIsNoBlankPage(t *testing.T) {
	h := fakehost.New(fakehost.Options{CPUs: 2, Disks: 2, Processes: 10, Page: os.DirFS("../dist")})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/stream" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		h.ServeHTTP(w, r)
	}))
	defer s.Close()
	b := open(t, s.URL+"/")
	first := eval[string](b, text("section[aria-label=Processes] h2"))
	b.until("the page goes on without a stream", fmt.Sprintf("%s !== %q", text("section[aria-label=Processes] h2"), first))
}
