package hostpageexporter

import "net/http"

type changesAnswer struct {
	Version   int                   `json:"version"`
	At        millis                `json:"at"`
	Before    spanAnswer            `json:"before"`
	After     spanAnswer            `json:"after"`
	Series    []seriesChangeAnswer  `json:"series"`
	Processes []processChangeAnswer `json:"processes"`
	Table     millis                `json:"table"`
}

type spanAnswer struct {
	From millis `json:"from"`
	To   millis `json:"to"`
}

type seriesChangeAnswer struct {
	ID     uint32   `json:"id"`
	Score  nullable `json:"score"`
	Before nullable `json:"before"`
	After  nullable `json:"after"`
}

type processChangeAnswer struct {
	Pid          int64    `json:"pid"`
	Created      millis   `json:"created"`
	Name         string   `json:"name"`
	User         any      `json:"user"`
	CPUBefore    nullable `json:"cpu_before"`
	CPUAfter     nullable `json:"cpu_after"`
	MemoryBefore nullable `json:"memory_before"`
	MemoryAfter  nullable `json:"memory_after"`
}

// changes answers what moved at a moment, or at the fire of an alert.
func (p *page) changes(a *answering) error {
	q := a.URL.Query()
	now := p.now()
	at, err := timeOf(q, "at", now.UnixMicro(), now)
	if err != nil {
		return err
	}
	if q.Has("episode") {
		e, ok := a.store.Episode(q.Get("episode"))
		if !ok {
			return failure{http.StatusNotFound, "there is no such episode"}
		}
		at = e.Started
	}
	c, kept := a.store.Kept(q.Get("episode"))
	if !kept {
		c = a.store.Changes(at)
	}
	out := changesAnswer{
		Version: apiVersion, At: millis(c.At), Before: spanAnswer{millis(c.Before[0]), millis(c.Before[1])},
		After: spanAnswer{millis(c.After[0]), millis(c.After[1])}, Series: []seriesChangeAnswer{}, Processes: []processChangeAnswer{},
		Table: millis(c.Table),
	}
	for _, x := range c.Series {
		out.Series = append(out.Series, seriesChangeAnswer{x.ID, nullable(x.Score), nullable(x.Before), nullable(x.After)})
	}
	for i := range c.Processes {
		x := &c.Processes[i]
		out.Processes = append(out.Processes, processChangeAnswer{
			x.Pid, millis(x.Created * 1000), x.Name, textOrNull(x.User), nullable(x.CPUBefore), nullable(x.CPUAfter), nullable(x.MemoryBefore),
			nullable(x.MemoryAfter),
		})
	}
	return a.writeJSON(out)
}
