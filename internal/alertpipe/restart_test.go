package alertpipe

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// A reload is a shutdown and a new pipe in the same process. With storage or without, what fires goes on firing; only what the new
// configuration changes is announced.
func TestReload(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Config)
		// want is what arrives after the reload, with the value still at 90.
		want []record
	}{
		{"the same rules", func(*Config) {}, nil},
		{"another text", func(c *Config) { c.Rules[0].Message = "busy: {{ .Value }}" }, nil},
		{"a threshold still exceeded", func(c *Config) {
			c.Rules[0].Thresholds = map[string]rules.LevelConfig{"warning": {Above: 85}, "critical": {Above: 95}}
		}, nil},
		{"a threshold no longer exceeded", func(c *Config) {
			c.Rules[0].Thresholds = map[string]rules.LevelConfig{"warning": {Above: 92}, "critical": {Above: 95}}
		}, []record{{Transition: "resolve", Severity: "warning", Reason: "threshold"}}},
		{"a lower threshold of the next level", func(c *Config) {
			c.Rules[0].Thresholds = map[string]rules.LevelConfig{"warning": {Above: 80}, "critical": {Above: 88}}
		}, []record{{Transition: "escalate", Severity: "critical", Reason: "threshold"}}},
		{
			"another rule besides", func(c *Config) { c.Rules = append(c.Rules, ladder("more")) },
			[]record{{Transition: "fire", Severity: "warning", Reason: "threshold"}},
		},
		{
			"the rule removed", func(c *Config) { c.Rules = nil },
			[]record{{Transition: "resolve", Severity: "warning", Reason: "rule_removed"}},
		},
	}
	stores := map[string]func(*Config){"in memory": nil, "in storage": withStorage}
	for place, edit := range stores {
		for _, tt := range tests {
			t.Run(place+"/"+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, edit, 1)
					r.host.storage = &memoryStorage{}
					r.start()
					r.feed(90)
					require.Equal(t, []string{"fire"}, r.out[0].got())
					tt.edit(r.cfg)
					r.restart()
					synctest.Wait()
					for range 3 {
						r.feed(90)
					}
					var after []record
					for _, rec := range r.out[0].all()[1:] {
						after = append(after, record{Transition: rec.Transition, Severity: rec.Severity, Reason: rec.Reason})
					}
					assert.Equal(t, tt.want, after)
					r.shutdown()
				})
			})
		}
	}
}

// What could not be delivered before a restart is delivered after it, once.
func TestUndeliveredRecordsSurviveARestart(t *testing.T) {
	for _, edit := range []func(*Config){nil, withStorage} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, edit, 1)
			r.host.storage = &memoryStorage{}
			r.start()
			r.out[0].set(func(context.Context, plog.Logs) error { return errBusy })
			r.feed(90)
			r.feed(99)
			r.shutdown()
			assert.Empty(t, r.out[0].got())
			r.out[0].set(nil)
			r.create()
			r.start()
			synctest.Wait()
			assert.Equal(t, []string{"fire", "escalate"}, r.out[0].got())
			r.restart()
			r.feed(10)
			assert.Equal(t, []string{"fire", "escalate", "resolve"}, r.out[0].got())
			r.shutdown()
		})
	}
}

// Without storage a state waits two minutes; a pipe that comes later begins afresh, and so does one with another ID.
func TestStateInMemoryWaitsTwoMinutes(t *testing.T) {
	tests := []struct {
		name  string
		after time.Duration
		other bool
		want  []string
	}{
		{"in time", 100 * time.Second, false, []string{"fire"}},
		{"too late", 3 * time.Minute, false, []string{"fire", "fire"}},
		{"another ID", time.Second, true, []string{"fire", "fire"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil, 1)
				r.start()
				r.feed(90)
				r.shutdown()
				advance(tt.after)
				if tt.other {
					r.id = component.MustNewIDWithName("alert", "other")
				}
				r.create()
				r.start()
				r.feed(90)
				assert.Equal(t, tt.want, r.out[0].got())
				r.shutdown()
			})
		})
	}
}

// A reload that adds a storage extension moves the state there.
func TestReloadThatAddsStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 1)
		store := &memoryStorage{}
		r.host.storage = store
		r.start()
		r.feed(90)
		withStorage(r.cfg)
		r.restart()
		r.shutdown()
		assert.NotEmpty(t, store.stored())
		third, err := statestore.Open(t.Context(), r.host, nil, r.pipe.set.owner(), layout, 0)
		require.NoError(t, err)
		handed, _, err := third.Load(t.Context(), time.Now())
		require.NoError(t, err)
		assert.Empty(t, handed, "what is in a storage is not handed over again")
		r.create()
		r.start()
		r.feed(90)
		r.feed(10)
		assert.Equal(t, []string{"fire", "resolve"}, r.out[0].got())
		r.shutdown()
	})
}

// A storage that can't be written when the state moves there holds up neither the start nor the alerts; it is tried again.
func TestReloadThatAddsStorageThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 1)
		disk := &memoryStorage{}
		r.host.storage = disk
		r.start()
		r.feed(90)
		disk.hook(func() error { return errors.New("no space left on device") })
		withStorage(r.cfg)
		r.restart()
		advance(time.Minute)
		assert.Equal(t, 1, r.logs.FilterMessageSnippet("Storing the alert state failed").Len())
		assert.Empty(t, disk.stored())
		r.feed(99)
		assert.Equal(t, []string{"fire", "escalate"}, r.out[0].got())

		disk.hook(nil)
		advance(time.Minute)
		firstWithPrefix(t, disk.stored(), "a/")
		r.restart()
		r.feed(99)
		r.feed(10)
		assert.Equal(t, []string{"fire", "escalate", "resolve"}, r.out[0].got())
		r.shutdown()
	})
}

// What a pipe without storage leaves takes the place of what an earlier one had stored: nothing stays that the later one did not know.
func TestReloadIntoStorageThatHoldsAnOlderState(t *testing.T) {
	tests := []struct {
		name string
		// between is what the pipe without storage sees, want what arrives from it and after the reload.
		between float64
		want    []string
	}{
		{"no alert since", 10, []string{}},
		{"another alert since", 99, []string{"fire", "resolve"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := &memoryStorage{}
				r := newRig(t, withStorage, 1)
				r.host.storage = disk
				r.start()
				r.feed(90)
				r.out[0].set(func(context.Context, plog.Logs) error { return errBusy })
				r.feed(99) // A record stays undelivered, too.
				r.shutdown()
				r.out[0].set(nil)
				old := disk.stored()
				firstWithPrefix(t, old, "a/")
				firstWithPrefix(t, old, "o/")

				advance(24 * time.Hour)
				r.cfg.Storage = nil
				r.create()
				r.start()
				r.inputs[0].Consume(gauge(tt.between, "b"))
				advance(time.Second)
				withStorage(r.cfg)
				r.restart()
				for _, instance := range []string{"a", "b"} {
					r.inputs[0].Consume(gauge(10, instance))
				}
				advance(time.Second)
				assert.Equal(t, tt.want, r.out[0].got()[1:], "of the old alert nothing is known any more")
				r.shutdown()
				for key := range old {
					if key[1] == '/' { // An alert or a record.
						assert.NotContains(t, disk.stored(), key)
					}
				}
			})
		})
	}
}

// Storage that can't be read fails the start and keeps what it has: to go on without it would be to write over it.
func TestStorageThatCannotBeRead(t *testing.T) {
	for _, kind := range []string{"meta", "keys/", "a/", "o/"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := &memoryStorage{}
				r := newRig(t, withStorage, 1)
				r.host.storage = disk
				r.start()
				r.feed(90)
				r.out[0].set(func(context.Context, plog.Logs) error { return errBusy })
				r.feed(99)
				r.shutdown()
				r.out[0].set(nil)
				before := disk.stored()
				key := firstWithPrefix(t, before, kind)

				disk.fail(map[string]error{key: errors.New("input/output error")})
				r.create()
				err := r.sinks[0].Start(t.Context(), r.host)
				require.EqualError(t, err, `reading the alert state from storage "file_storage": reading `+key+`: input/output error`)
				r.shutdown()
				assert.Equal(t, before, disk.stored())
				assert.Zero(t, disk.clients(), "the storage is given back")

				disk.fail(nil)
				r.create()
				r.start()
				synctest.Wait()
				r.feed(10)
				assert.Equal(t, []string{"fire", "escalate", "resolve"}, r.out[0].got(), "the next start has it all")
				r.shutdown()
			})
		})
	}
}

func firstWithPrefix(t *testing.T, data map[string][]byte, prefix string) string {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(data)) {
		if strings.HasPrefix(key, prefix) {
			return key
		}
	}
	require.Fail(t, "no such key", prefix)
	return ""
}

// Nothing is handed out before it is stored.
func TestStoredBeforeDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStorage{}
		r := newRig(t, withStorage, 1)
		r.host.storage = store
		r.start()
		synctest.Wait()
		free := make(chan struct{})
		store.hook(func() error {
			<-free
			return nil
		})
		r.feed(90)
		r.feed(99)
		assert.Empty(t, r.out[0].got(), "the write is still under way; metrics go on")
		close(free)
		synctest.Wait()
		assert.Equal(t, []string{"fire", "escalate"}, r.out[0].got())
		r.shutdown()
	})
}

// Storage that fails costs no record, is reported once, and gets everything when it works again.
func TestStorageFailsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStorage{}
		r := newRig(t, withStorage, 1)
		r.host.storage = store
		r.start()
		synctest.Wait()
		broken := errors.New("no space left on device")
		store.hook(func() error { return broken })
		r.feed(90)
		r.feed(99)
		assert.Equal(t, []string{"fire", "escalate"}, r.out[0].got())
		assert.Equal(t, 1, r.logs.FilterMessageSnippet("Storing the alert state failed").Len())
		store.hook(nil)
		advance(20 * time.Second)
		assert.Equal(t, 1, r.logs.FilterMessageSnippet("stored again").Len())
		r.restart()
		r.feed(99)
		r.feed(10)
		assert.Equal(t, []string{"fire", "escalate", "resolve"}, r.out[0].got())
		r.shutdown()
	})
}

// Storage that hangs does not hold up the shutdown for long.
func TestStorageHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStorage{}
		r := newRig(t, withStorage, 1)
		r.host.storage = store
		r.start()
		synctest.Wait()
		free := make(chan struct{})
		store.hook(func() error {
			<-free
			return errBusy
		})
		r.feed(90)
		begin := time.Now()
		r.shutdown()
		assert.LessOrEqual(t, time.Since(begin), 20*time.Second)
		assert.Equal(t, 1, r.logs.FilterMessageSnippet("Storage does not answer").Len())
		close(free)
		synctest.Wait()
	})
}

// State that cannot be read costs itself and nothing more.
func TestStoredStateIsDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStorage{}
		r := newRig(t, withStorage, 1)
		r.host.storage = store
		r.start()
		r.feed(90)
		r.shutdown()
		for key := range store.stored() {
			if key[0] == 'a' {
				store.put(map[string][]byte{key: []byte("not what was written")})
			}
		}
		r.create()
		r.start()
		assert.Equal(t, 1, r.logs.FilterMessageSnippet("can't be used").Len())
		r.feed(90)
		assert.Equal(t, []string{"fire", "fire"}, r.out[0].got())
		r.shutdown()
	})
}

// notStorage is an extension of another kind.
type notStorage struct {
	component.StartFunc
	component.ShutdownFunc
}

type brokenStorage struct{ notStorage }

func (brokenStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return nil, errors.New("permission denied")
}

func TestStartErrors(t *testing.T) {
	tests := []struct {
		name  string
		ext   component.Component
		sinks int
		input bool
		want  string
	}{
		{
			"no logs pipeline", &memoryStorage{}, 0, true,
			`alert/x is used in metrics pipelines but in no logs pipeline: alerts would be lost. ` +
				`Add "alert/x" to the processors of a logs pipeline, or use the alert connector`,
		},
		{
			"no metrics pipeline", &memoryStorage{}, 1, false,
			`alert/x is used in logs pipelines but in no metrics pipeline: no rule would see a metric. ` +
				`Add "alert/x" to the processors of a metrics pipeline, or use the alert connector`,
		},
		{"no such extension", nil, 1, true, `storage "file_storage" not found among extensions: list it in service::extensions`},
		{"not a storage extension", notStorage{}, 1, true, `extension "file_storage" is not a storage extension`},
		{"storage that can't be opened", brokenStorage{}, 1, true, `opening storage "file_storage": permission denied`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, withStorage, tt.sinks)
				r.id = component.MustNewIDWithName("alert", "x")
				r.create()
				r.host.storage = tt.ext
				if !tt.input {
					r.inputs, r.pipe.inputs = nil, 0
					r.pipe.nodes--
				}
				for _, s := range r.sinks {
					require.EqualError(t, s.Start(t.Context(), r.host), tt.want)
				}
				for _, in := range r.inputs {
					require.EqualError(t, in.Start(t.Context(), r.host), tt.want)
					in.Consume(gauge(99, "a"))
				}
				r.shutdown()
			})
		})
	}
}

// A file that is open elsewhere can't be opened; its lock says no more than "timeout".
func TestStorageInUse(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withStorage, 1)
		first, second := openFileStorage(t, dir), openFileStorage(t, dir)
		r.host.storage = first
		r.start()
		other := newRig(t, withStorage, 1)
		other.id = r.id
		other.create()
		other.host.storage = second
		require.EqualError(t, other.sinks[0].Start(t.Context(), other.host), `opening storage "file_storage": timeout `+
			`(another process may hold the file; is a Collector with the same storage directory running?)`)
		other.shutdown()
		r.shutdown()
		for _, ext := range []component.Component{first, second} {
			require.NoError(t, ext.Shutdown(t.Context()))
		}
	})
}

// Two pipes of one ID in one process would each decide on their own; that is said.
func TestSecondInstanceOfAnID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newRig(t, nil, 1)
		first.start()
		second := newRig(t, nil, 1)
		second.id = first.id
		second.create()
		second.start()
		assert.Equal(t, 1, second.logs.FilterMessageSnippet("Another instance with this ID").Len())
		first.shutdown()
		second.shutdown()
		live.Lock()
		assert.NotContains(t, live.pipes, statestore.Owner{Kind: component.KindProcessor, ID: first.id})
		live.Unlock()
	})
}

// What a Collector never does must still not break anything.
func TestStartAndShutdownOutOfTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 1)
		r.shutdown()
		r.shutdown()
		r.create()
		r.start()
		require.Error(t, r.inputs[0].Start(t.Context(), r.host), "a second start")
		r.shutdown()
		r.shutdown()
		require.Error(t, r.inputs[0].Start(t.Context(), r.host), "a start after the end")
		r.inputs[0].Consume(gauge(99, "a"))
		assert.Empty(t, r.out[0].got())
	})
}
