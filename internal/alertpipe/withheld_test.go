package alertpipe

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
)

// That the end of alerts is withheld from an exporter that needs it is said at the start, once.
func TestWithheldResolvesAreSaid(t *testing.T) {
	said := func(send bool) int {
		r := newRig(t, func(c *Config) { c.Output.SendResolved = send }, 2)
		r.start()
		defer r.shutdown()
		return r.logs.FilterMessageSnippet("output::send_resolved").Len()
	}
	assert.Equal(t, 0, said(false), "nobody needs it")
	done := alertorigin.NeedResolves("alertmanager/x")
	assert.Equal(t, 1, said(false))
	assert.Equal(t, 0, said(true))
	done()
	done()
	assert.Equal(t, 0, said(false), "the exporter is gone")
}
