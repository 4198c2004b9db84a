package hostpageexporter

import (
	"fmt"
	"net/http"
	"time"
)

// Statuses of the agent, from the best.
const (
	statusOK       = "ok"
	statusDegraded = "degraded"
	statusDown     = "down"
)

type healthAnswer struct {
	Version int           `json:"version"`
	Status  string        `json:"status"`
	Now     millis        `json:"now"`
	Checks  []healthCheck `json:"checks"`
}

type healthCheck struct {
	Name    string  `json:"name"`
	Status  string  `json:"status"`
	Message string  `json:"message"`
	Since   *millis `json:"since,omitempty"`
}

const (
	// lateFactor is how many usual intervals without a scrape are too many.
	lateFactor = 3.0
	// silentFor is how long an agent may bring nothing at all, whatever its interval.
	silentFor = 5 * time.Minute
)

// health answers whether the agent is well, as far as this exporter can tell: whether scrapes come, and what it could not keep.
func (p *page) health(a *answering) error {
	now := p.now()
	out := healthAnswer{Version: apiVersion, Now: millis(now.UnixMicro()), Status: statusOK}
	out.Checks = append(out.Checks, p.checkScrapes(a, now), p.checkHistory(a, now))
	if c, saves := p.checkSaving(); saves {
		out.Checks = append(out.Checks, c)
	}
	out.Checks = append(out.Checks, p.collector.checks(now)...)
	rank := map[string]int{statusOK: 0, statusDegraded: 1, statusDown: 2}
	for _, c := range out.Checks {
		if rank[c.Status] > rank[out.Status] {
			out.Status = c.Status
		}
	}
	if out.Status == statusDown {
		a.status(http.StatusServiceUnavailable)
	}
	return a.writeJSON(out)
}

// checkScrapes looks whether each scrape came when it was due. Of a history from before a restart none is due before an agent that has just begun can bring it.
func (p *page) checkScrapes(a *answering, now time.Time) healthCheck {
	c := healthCheck{Name: "scrapes", Status: statusOK}
	catalogue := a.store.Catalogue(now)
	if catalogue.Started == 0 {
		c.Status, c.Message = statusDegraded, "no metrics have come yet"
		return c
	}
	began := p.began.UnixMicro()
	newest, late, axes := int64(0), 0, 0
	for _, x := range catalogue.Axes {
		newest = max(newest, x.Last)
		since := float64(now.UnixMicro() - x.Last)
		switch {
		case x.Interval == 0 || since > float64((10*time.Minute).Microseconds())+lateFactor*float64(x.Interval):
			// Seen once, or ended.
		case float64(now.UnixMicro()-max(x.Last, began)) > lateFactor*float64(x.Interval):
			late++
			axes++
		default:
			axes++
		}
	}
	age := time.Duration(now.UnixMicro()-newest) * time.Microsecond
	c.Message = fmt.Sprintf("%d of %d scrapes are late, the newest is %.1f s old", late, axes, age.Seconds())
	switch {
	case newest < began && now.Sub(p.began) <= silentFor:
		c.Status, c.Message = statusDegraded, "no metrics have come since the start"
	case age > silentFor:
		c.Status, c.Message = statusDown, fmt.Sprintf("no metrics for %s", age.Round(time.Second))
		c.Since = since(newest)
	case late > 0:
		c.Status = statusDegraded
	}
	return c
}

func since(us int64) *millis {
	m := millis(us)
	return &m
}

// checkHistory looks whether the history holds what it should.
func (p *page) checkHistory(a *answering, now time.Time) healthCheck {
	c := healthCheck{Name: "history", Status: statusOK}
	catalogue := a.store.Catalogue(now)
	c.Message = fmt.Sprintf("%d of %d MiB", catalogue.Used>>20, catalogue.Limit>>20)
	for _, t := range catalogue.Tiers {
		if !t.Complete {
			c.Status = statusDegraded
			c.Message = fmt.Sprintf("what is kept at %s reaches back %s of %s: max_memory is %d MiB",
				t.Every, (time.Duration(now.UnixMicro()-t.From) * time.Microsecond).Round(time.Second), t.Keep, catalogue.Limit>>20)
			break
		}
	}
	if catalogue.SeriesRefused > 0 {
		c.Status = statusDegraded
		c.Message += fmt.Sprintf("; %d samples of series beyond max_series %d", catalogue.SeriesRefused, catalogue.MaxSeries)
	}
	return c
}
