package browsertest

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/browser"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/fakehost"
)

// watch is run before the page: what the policy refused, what failed and what is asked for from elsewhere is kept for the test.
const watch = `window.faults = [];
addEventListener('securitypolicyviolation', e => faults.push('policy: ' + e.violatedDirective + ' ' + e.blockedURI));
addEventListener('error', e => faults.push('error: ' + e.message));
addEventListener('unhandledrejection', e => faults.push('rejection: ' + e.reason));`

// tab is a page in a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string
}

// requireBrowser skips the test without chromium, or fails it where REQUIRE_CHROMIUM says so.
func requireBrowser(t *testing.T) {
	t.Helper()
	if browser.Path() != "" {
		return
	}
	if os.Getenv("REQUIRE_CHROMIUM") != "" {
		t.Fatal("chromium is not installed")
	}
	t.Skip("chromium is not installed") //nolint:forbidigo // REQUIRE_CHROMIUM says that it must be.
}

func serve(t *testing.T, o fakehost.Options) string {
	t.Helper()
	o.Page = os.DirFS("../dist")
	s := httptest.NewServer(fakehost.New(o))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL + "/"
}

// open opens a page, and waits until it is drawn.
func open(t *testing.T, url string) *tab {
	t.Helper()
	return openWith(t, url, nil)
}

// openWith does so in a browser with more flags, and with more JavaScript to run before the page's.
func openWith(t *testing.T, url string, flags []chromedp.ExecAllocatorOption, before ...string) *tab {
	t.Helper()
	requireBrowser(t)
	// Not of the test: its removal would fail while the children of the browser still write.
	profile, err := os.MkdirTemp("", "browsertest") //nolint:usetesting // as said
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := browser.New(t.Context(), profile, 1440, 900, flags...)
	ctx, stop := context.WithDeadline(ctx, deadline(t))
	t.Cleanup(func() {
		stop()
		cancel()
		// The children of the browser write for a moment after it has ended.
		for range 50 {
			if os.RemoveAll(profile) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	b := &tab{t, ctx, url}
	b.do(chromedp.Navigate("about:blank"))
	source := page.AddScriptToEvaluateOnNewDocumentParams{Source: watch + strings.Join(before, "\n")}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, source); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(1440, 900), chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS("[data-ready]")))
	b.until("the process table has rows", `document.querySelectorAll('.processes tbody tr').length > 0`)
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// until waits for a condition in JavaScript.
func (b *tab) until(what, condition string) {
	b.t.Helper()
	waitFor(b.t, what+": "+condition, 20*time.Millisecond, func() bool { return eval[bool](b, "Boolean("+condition+")") })
}

func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.do(chromedp.KeyEvent(k))
	}
}

func (b *tab) noFaults() {
	b.t.Helper()
	if faults := eval[[]string](b, "faults"); len(faults) > 0 {
		b.t.Errorf("the page has faults: %v", faults)
	}
}

func text(selector string) string {
	return fmt.Sprintf("document.querySelector(%q).textContent", selector)
}

// table opens the table behind a chart, and returns its rows.
func (b *tab) table(title string) [][]string {
	b.t.Helper()
	section := fmt.Sprintf(`document.querySelector('section[aria-label=%q]')`, title)
	eval[any](b, section+`.scrollIntoView()`)
	eval[any](b, fmt.Sprintf(`[...%s.querySelectorAll('button')].filter(b => b.textContent === 'table' && b.getAttribute('aria-pressed') === 'false').forEach(b => b.click())`, section))
	b.until("the table has values", section+`.querySelector('.values tbody td')`)
	return eval[[][]string](b, fmt.Sprintf(`[...%s.querySelectorAll('.values tbody tr')].map(r => [...r.cells].map(c => c.textContent))`, section))
}

// vital is the text and the note of a vital sign.
func (b *tab) vital(name string) []string {
	b.t.Helper()
	return eval[[]string](b, fmt.Sprintf(`[...document.querySelectorAll('.vitals dt')].filter(d => d.textContent === %q).flatMap(d => [...d.parentElement.querySelectorAll('dd')].map(x => x.textContent))`, name))
}
