package browsertest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/fakehost"
)

// speed is by how much the clocks of the made host and of the browser run faster.
const speed = 30

// TestHeapOfTheTabDoesNotGrow replays time: PAGE_REPLAY=50m is a day and an hour. Without it half an hour is replayed.
func TestHeapOfTheTabDoesNotGrow(t *testing.T) {
	length := 40 * time.Second
	if text := os.Getenv("PAGE_REPLAY"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	now := func() time.Time { return began.Add(speed * time.Since(began)) }
	url := serve(t, fakehost.Options{CPUs: 4, Disks: 3, Processes: 60, Now: now, Tick: time.Second / speed})
	clock := fmt.Sprintf(`{
		const real = Date.now.bind(Date), since = performance.now.bind(performance);
		Date.now = () => %[1]d + (real() - %[1]d) * %[2]d;
		performance.now = () => since() * %[2]d;
	}`, began.UnixMilli(), speed)
	// The window is shorter than what is replayed first, so that what leaves it must be forgotten.
	b := openFor(t, length+3*time.Minute, url+"#span=5m", clock)
	time.Sleep(20 * time.Second)
	first := b.leastHeap(length / 2)
	last := b.leastHeap(length / 2)
	t.Logf("%s of replayed time: %d bytes in the first half, then %d", speed*length, first, last)
	// What swings is as large as a seventh however long it runs; what leaks grows with the time. An hour shows a tenth, the short run a quarter.
	allowed := first / 4
	if speed*length > time.Hour {
		allowed = first / 10
	}
	if last > first+allowed {
		t.Errorf("the heap of the tab grew from %d to %d bytes in %s of replayed time", first, last, speed*length)
	}
	b.noFaults()
}

// leastHeap is the least that is in use within some time. What is in use swings, by a fifth, with the caches of the browser and the data that
// is just being drawn; what is never given back lifts the least, too.
func (b *tab) leastHeap(length time.Duration) int64 {
	b.t.Helper()
	const looks = 10
	least := b.heap()
	for range looks {
		time.Sleep(length / looks)
		least = min(least, b.heap())
	}
	return least
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
