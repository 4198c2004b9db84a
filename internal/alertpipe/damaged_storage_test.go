package alertpipe

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
)

// noDatabase is a storage extension whose file can't be used.
type noDatabase struct {
	component.StartFunc
	component.ShutdownFunc
}

func (noDatabase) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return nil, errors.New("invalid database")
}

// With a damaged storage metrics flow and alerts are delivered; what is lost is said once, and shown by the status.
func TestAlertsAreDeliveredThoughTheStorageIsDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withStorage, 1)
		r.host.storage = noDatabase{}
		delivered := 0
		r.out[0].set(func(_ context.Context, ld plog.Logs) error {
			delivered += ld.LogRecordCount()
			return nil
		})
		r.start()
		r.feed(90)
		advance(time.Second)
		assert.Equal(t, 1, delivered)
		said := r.logs.FilterMessageSnippet("Alerts are not stored").All()
		if assert.Len(t, said, 1) {
			assert.Contains(t, said[0].ContextMap()["error"], `move it away`)
		}
		assert.Contains(t, r.host.seen(), componentstatus.StatusRecoverableError)
		r.restart()
		r.feed(91)
		advance(time.Second)
		assert.Equal(t, 1, delivered, "a reload keeps what fires")
		r.shutdown()
	})
}
