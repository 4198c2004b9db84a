package rules

import (
	"cmp"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// What the semantic conventions say of metrics and resources, and the rules go by, stands in this file. Which attributes identify a resource,
// and which change while it stays the same, is in alertschema: exporters have to agree with the rules on that.

// identifiesResource tells whether a resource attribute is part of the default group key of a metric.
func identifiesResource(key, metric string) bool { return alertschema.IdentifiesResource(key, metric) }

// IsShare tells whether values of the metric are shares of a whole by its name: a utilization, or a statistic of one, such as
// system.cpu.utilization.p95.
func IsShare(metric string) bool {
	return strings.HasSuffix(metric, ".utilization") || strings.Contains(metric, ".utilization.")
}

// HostOf names the host that a resource is of, or else what identifies its service, "" for none.
func HostOf(resource []attr.Attr) string {
	for _, key := range []string{"host.name", "host.id", "service.instance.id", "service.name"} {
		if v, ok := attr.Lookup(resource, key); ok {
			if text := v.AsString(); text != "" {
				return text
			}
		}
	}
	return ""
}

// Subject names what a resource describes: the process, of a metric of processes, and the host.
func Subject(metric string, resource []attr.Attr) string {
	text := func(key string) string {
		v, _ := attr.Lookup(resource, key)
		return v.AsString()
	}
	var b strings.Builder
	if strings.HasPrefix(metric, "process.") {
		if name := cmp.Or(text("process.executable.name"), text("process.group.name")); name != "" {
			b.WriteString(" " + name)
		}
		if pid := text("process.pid"); pid != "" {
			b.WriteString(" (pid " + pid + ")")
		}
	}
	if host := text("host.name"); host != "" {
		b.WriteString(" on " + host)
	}
	return b.String()
}
