package browsertest

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/fakehost"
)

// replayClock makes the time of the browser that of the newest scrape, from a first time on.
const replayClock = `{
	let now = %[1]d;
	Date.now = () => now;
	performance.now = () => now - %[1]d;
	window.scrapes = 0;
	window.EventSource = class extends EventSource {
		constructor(url) {
			super(url);
			this.addEventListener('scrape', e => { now = JSON.parse(e.data).t; scrapes++; });
		}
	};
}`

// interpreted has JavaScript interpreted: machine code that the browser makes of it in the first hours is in the heap, too, and hides the data.
var interpreted = []chromedp.ExecAllocatorOption{chromedp.Flag("js-flags", "--no-opt --no-maglev --no-sparkplug --no-flush-bytecode")}

// TestHeapOfTheTabDoesNotGrow replays time, as fast as the page takes it: each scrape of each second, and a frame drawn each minute. PAGE_REPLAY
// says how long; without it, two hours. What is in use in the last half hour is compared with the second half of the first hour.
func TestHeapOfTheTabDoesNotGrow(t *testing.T) {
	length := 2 * time.Hour
	if text := os.Getenv("PAGE_REPLAY"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	var clock atomic.Int64
	began := time.Now().Truncate(time.Second).UnixMilli()
	clock.Store(began)
	ticks := make(chan int64)
	url := serve(t, fakehost.Options{CPUs: 4, Disks: 3, Processes: 60, Now: func() time.Time { return time.UnixMilli(clock.Load()) }, Ticks: ticks})
	// The window is shorter than what is replayed first, so that what leaves it must be forgotten.
	b := openWith(t, url+"#span=5m", interpreted, fmt.Sprintf(replayClock, began))
	replay := func(minutes int) {
		for range minutes {
			for range 60 {
				select {
				case ticks <- clock.Add(1000):
				case <-b.ctx.Done():
					t.Fatal(b.ctx.Err())
				}
			}
			eval[any](b, `new Promise(done => requestAnimationFrame(() => setTimeout(done)))`)
		}
	}
	// What is in use swings, by a fifth, with the caches of the browser and the data that is just being drawn; what is never given back lifts the least, too.
	leastOfHalfAnHour := func() int64 {
		least := int64(1) << 62
		for range 6 {
			replay(5)
			least = min(least, b.heap())
		}
		return least
	}
	replay(30)
	first := leastOfHalfAnHour()
	for left := int(length.Minutes()) - 90; left > 0; left -= 60 {
		replay(min(left, 60))
		t.Logf("%d minutes are left: %d bytes", left, b.heap())
	}
	last := leastOfHalfAnHour()
	b.until("each scrape has come", fmt.Sprintf("scrapes >= %d", int(length.Seconds())))
	t.Logf("%s of replayed time: %d bytes in the first hour, %d in the last: %+.1f %%", length, first, last, 100*float64(last-first)/float64(first))
	if last > first+first/10 {
		t.Errorf("the heap of the tab grew from %d to %d bytes in %s of replayed time", first, last, length)
	}
	b.noFaults()
}

// heap is what is in use after a collection.
func (b *tab) heap() int64 {
	b.t.Helper()
	for range 2 {
		if _, err := chromedp.Call(b.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			b.t.Fatal(err)
		}
	}
	usage, err := chromedp.Call(b.ctx, runtime.GetHeapUsage, cdp.Empty{})
	if err != nil {
		b.t.Fatal(err)
	}
	return int64(usage.UsedSize)
}
