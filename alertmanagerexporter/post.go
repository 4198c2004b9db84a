package alertmanagerexporter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/webclient"
)

// postableAlert is an alert in the form of Alertmanager's API v2.
type postableAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// postable appends the alerts of an entry: first what ended, then what is active, for Alertmanager takes them in this order.
func (e *entry) postable(dst []postableAlert, now, lifetime int64, generatorURL string) []postableAlert {
	add := func(f *firing, ends int64) {
		// A start after the end is refused; it happens where the clock of the series is ahead.
		starts := min(f.Starts, ends, now)
		dst = append(dst, postableAlert{
			Labels: e.labelsOf(f), Annotations: f.Annotations, StartsAt: time.Unix(0, starts).UTC(), EndsAt: time.Unix(0, ends).UTC(),
			GeneratorURL: generatorURL,
		})
	}
	for i := range e.Ended {
		add(&e.Ended[i], min(e.Ended[i].Ends, now))
	}
	if e.Active != nil {
		add(e.Active, now+lifetime)
	}
	return dst
}

// client posts alerts to one Alertmanager.
type client struct {
	http *http.Client
	url  string
	now  func() time.Time
	// longestDelay bounds for how long a server may ask not to be asked again.
	longestDelay time.Duration
}

// post sends one request. The error is permanent when the same request would be refused again.
func (c *client) post(ctx context.Context, alerts []postableAlert) error {
	body, err := json.Marshal(alerts)
	if err != nil {
		return consumererror.NewPermanent(fmt.Errorf("encoding alerts: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return consumererror.NewPermanent(fmt.Errorf("making the request: %w", webclient.RedactError(err)))
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("posting alerts: %w", webclient.RedactError(err))
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
		_ = resp.Body.Close()
	}()
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return nil
	}
	return c.refusal(resp)
}

const (
	maxAnswer = 64 << 10 // Read of an answer, so that the connection can be used again.
	maxQuoted = 512      // Of it in an error.
)

// refusal makes an error of an answer that is not a success.
func (c *client) refusal(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	quoted := strings.TrimSpace(webclient.HideSent(string(body), c.url, resp.Request))
	if len(body) == maxAnswer && len(quoted) <= maxQuoted {
		quoted = "" // Nothing but secrets, the last of which is cut.
	}
	err := fmt.Errorf("posting alerts: %s answered %d %s: %q", webclient.Redact(c.url), resp.StatusCode, http.StatusText(resp.StatusCode),
		alertschema.CutText(quoted, maxQuoted))
	if to := resp.Header.Get("Location"); to != "" && resp.StatusCode >= 300 && resp.StatusCode <= 399 {
		err = fmt.Errorf("%w; it says to go to %q, which is not done: only redirects within one host and scheme are followed, without a user of their own, for headers with passwords "+
			"go with them; if alerts belong there, make it the endpoint", err, alertschema.CutText(webclient.Redact(to), maxQuoted))
	}
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		if delay, ok := webclient.RetryAfter(resp.Header.Get("Retry-After"), c.now(), c.longestDelay); ok {
			return exporterhelper.NewThrottleRetry(err, delay)
		}
		return err
	case code >= 500, code == http.StatusRequestTimeout:
		return err
	default:
		return consumererror.NewPermanent(err)
	}
}
