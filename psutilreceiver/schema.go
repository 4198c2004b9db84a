package psutilreceiver

import (
	"context"

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
}

// schemaOf is the schema of the names that the configuration asks for.
func (c *Config) schemaOf() string {
	if c.Compat == compatHostmetrics {
		return hostmetrics.SchemaURL
	}
	return schemaURL
}

// ConsumeMetrics passes the metrics on.
func (c schemaConsumer) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	for _, rm := range md.ResourceMetrics().All() {
		rm.SetSchemaUrl(c.url)
		attributes := rm.Resource().Attributes()
		_, process := attributes.Get(keyProcessPID)
		_, group := attributes.Get("process.group.name")
		if process && !c.processes || group {
			continue // To say of each process the same costs more than it tells.
		}
		refs := entity.ResourceEntityRefs(rm.Resource())
		addEntityRef(refs, attributes, entityHost, keyHostID)
		if process {
			addEntityRef(refs, attributes, entityProcess, keyProcessPID, keyCreationTime)
		}
	}
	return c.Metrics.ConsumeMetrics(ctx, md)
}

// descriptionKeys are attributes of the resource that describe an entity.
var descriptionKeys = map[string][]string{
	entityHost: {keyHostName, "host.arch", "host.ip", "host.mac"},
	entityProcess: {
		"process.parent_pid", "process.executable.name", "process.executable.path", "process.command", "process.command_line", "process.owner",
		"process.linux.cgroup",
	},
}

// addEntityRef adds a reference to an entity of which the resource has the identifying attributes.
func addEntityRef(refs entity.EntityRefSlice, attributes pcommon.Map, kind string, idKeys ...string) {
	for _, key := range idKeys {
		if _, there := attributes.Get(key); !there {
			return
		}
	}
	ref := refs.AppendEmpty()
	ref.SetType(kind)
	ref.SetSchemaUrl(schemaURL)
	ref.IdKeys().Append(idKeys...)
	for _, key := range descriptionKeys[kind] {
		if _, there := attributes.Get(key); there {
			ref.DescriptionKeys().Append(key)
		}
	}
}
