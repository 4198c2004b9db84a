package hostpageexporter

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

const (
	// maxTime is how far a time may be from 1970: a little less than what time.Time and microseconds both hold.
	maxTimeMillis = 1 << 52
	// maxSelected bounds the list of series in one request.
	maxSelected  = 10_000
	defaultWidth = 600
)

// parseTime reads a time in one of the forms of API.md, in microseconds.
func parseTime(text string, now time.Time) (int64, error) {
	switch {
	case text == "now":
		return now.UnixMicro(), nil
	case strings.HasPrefix(text, "-"):
		if d, err := time.ParseDuration(text); err == nil {
			return now.Add(d).UnixMicro(), nil
		}
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		if ms > maxTimeMillis || ms < -maxTimeMillis {
			return 0, fmt.Errorf("%q is too far away", short(text))
		}
		return ms * 1000, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UnixMicro(), nil
	}
	return 0, fmt.Errorf("%q is not a time: milliseconds since 1970, RFC 3339, -15m or now", short(text))
}

// short cuts what an error repeats.
func short(text string) string {
	if len(text) > 40 {
		return text[:40] + "…"
	}
	return text
}

// timeOf reads a parameter that is a time.
func timeOf(q url.Values, name string, absent int64, now time.Time) (int64, error) {
	if !q.Has(name) {
		return absent, nil
	}
	t, err := parseTime(q.Get(name), now)
	if err != nil {
		return 0, badRequest(name + ": " + err.Error())
	}
	return t, nil
}

// timesOf reads from and to.
func timesOf(q url.Values, absent time.Duration, now time.Time) (from, to int64, err error) {
	if to, err = timeOf(q, "to", now.UnixMicro(), now); err != nil {
		return 0, 0, err
	}
	if from, err = timeOf(q, "from", to-absent.Microseconds(), now); err != nil {
		return 0, 0, err
	}
	if from >= to {
		return 0, 0, badRequest("from must be before to")
	}
	return from, to, nil
}

// selectionOf reads which series are asked for.
func selectionOf(q url.Values) (history.Selection, error) {
	var s history.Selection
	for _, list := range q["series"] {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			if len(s.IDs)+len(s.Names) >= maxSelected {
				return s, badRequest(fmt.Sprintf("series names more than %d", maxSelected))
			}
			if id, err := strconv.ParseUint(name, 10, 32); err == nil {
				s.IDs = append(s.IDs, uint32(id))
			} else {
				s.Names = append(s.Names, name)
			}
		}
	}
	return s, nil
}

// widthOf reads how many points the client can show.
func widthOf(q url.Values) (int, error) {
	if !q.Has("width") {
		return defaultWidth, nil
	}
	width, err := strconv.Atoi(q.Get("width"))
	if err != nil || width < 1 || width > history.MaxWidth {
		return 0, badRequest(fmt.Sprintf("width is %q: it must be from 1 to %d", short(q.Get("width")), history.MaxWidth))
	}
	return width, nil
}
