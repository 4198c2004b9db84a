package psutilreceiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

// schemaURL is that of the conventions which the names follow. The generated code has that of the newest conventions which OpenTelemetry's Go library
// has constants of.
const schemaURL = "https://opentelemetry.io/schemas/1.44.0"

// schemaConsumer says of the metrics that it passes on by which conventions they are named, and which entities they are of: the host, and
// with processes each of them.
type schemaConsumer struct {
	consumer.Metrics
	url       string
	processes bool
	host      func(pcommon.Map) *entityKeys // those of the host, which all resources of a receiver have alike
}

func newSchemaConsumer(next consumer.Metrics, cfg *Config) *schemaConsumer {
	c := &schemaConsumer{Metrics: next, url: cfg.schemaOf(), processes: cfg.Entities.Processes}
	var once sync.Once
	var keys *entityKeys
	c.host = func(attributes pcommon.Map) *entityKeys {
		once.Do(func() { keys = entityKeysOf(attributes, entityHost, keyHostID) })
		return keys
	}
	return c
}

// schemaOf is the schema of the names that the configuration asks for.
func (c *Config) schemaOf() string {
	if c.Compat == compatHostmetrics {
		return hostmetrics.SchemaURL
	}
	return schemaURL
}

// ConsumeMetrics passes the metrics on.
func (c *schemaConsumer) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	for _, rm := range md.ResourceMetrics().All() {
		rm.SetSchemaUrl(c.url)
		attributes := rm.Resource().Attributes()
		_, process := attributes.Get(keyProcessPID)
		_, group := attributes.Get("process.group.name")
		if process && !c.processes || group {
			continue // To say of each process the same costs more than it tells.
		}
		refs := entity.ResourceEntityRefs(rm.Resource())
		c.host(attributes).addTo(refs)
		if process {
			entityKeysOf(attributes, entityProcess, keyProcessPID, keyCreationTime).addTo(refs)
		}
	}
	return c.Metrics.ConsumeMetrics(ctx, md)
}

// descriptionKeys are attributes of the resource that describe an entity, as the events of its state do. A process has the names of either form.
var descriptionKeys = map[string][]string{
	entityHost: {
		keyHostName, "host.arch", "host.ip", "host.mac", "os.type", "os.description", "os.name", "os.version", "os.build_id",
		"host.cpu.vendor.id", "host.cpu.family", "host.cpu.model.id", "host.cpu.model.name", "host.cpu.stepping", "host.cpu.cache.l2.size",
		"device.manufacturer", "device.model.name",
	},
	entityProcess: {
		"process.parent_pid", "process.executable.name", "process.executable.path", "process.command", "process.command_line", "process.program.name",
		"process.owner", keyCgroup, hostmetrics.ResourceAttributes[keyCgroup], "container.id",
	},
}

const keyCgroup = "process.linux.cgroup"

// entityKeys are the keys of the attributes of a resource that identify and describe an entity. A nil one is no entity.
type entityKeys struct {
	kind            string
	id, description []string
}

// entityKeysOf returns nil if the resource lacks an attribute that identifies the entity.
func entityKeysOf(attributes pcommon.Map, kind string, id ...string) *entityKeys {
	there := func(key string) bool {
		_, ok := attributes.Get(key)
		return ok
	}
	for _, key := range id {
		if !there(key) {
			return nil
		}
	}
	keys := &entityKeys{kind: kind, id: id, description: make([]string, 0, len(descriptionKeys[kind]))}
	for _, key := range descriptionKeys[kind] {
		if there(key) {
			keys.description = append(keys.description, key)
		}
	}
	return keys
}

// addTo adds a reference to the entity.
func (k *entityKeys) addTo(refs entity.EntityRefSlice) {
	if k == nil {
		return
	}
	ref := refs.AppendEmpty()
	ref.SetType(k.kind)
	ref.SetSchemaUrl(schemaURL)
	ref.IdKeys().FromRaw(k.id)
	ref.DescriptionKeys().FromRaw(k.description)
}
