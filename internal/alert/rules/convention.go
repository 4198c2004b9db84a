package rules

import (
	"cmp"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

// What the semantic conventions say of metrics and resources, and the rules go by, stands in this file. Which attributes identify a resource,
// and which change while it stays the same, is in alertschema: exporters have to agree with the rules on that.

// identifies tells whether an attribute of a resource is part of the group key, where the key has what identifies the resource. The rule comes
// first, then the conventions. Entity references add attributes of which the conventions know nothing, and take none away.
func (r *Rule) identifies(key string, o *attr.Origin) bool {
	if r.Identity != nil {
		return slices.Contains(r.Identity, key)
	}
	return alertschema.IdentifiesResource(key, r.Value.Metric, o.Has) || Refers(o, key)
}

// Refers tells whether entity references of a resource say that an attribute identifies it of which the conventions say nothing.
func Refers(o *attr.Origin, key string) bool {
	return slices.Contains(o.IdentifyingKeys, key) && !alertschema.KnowsResource(key)
}

// NamesResource returns the resource attributes that the rule names: in match, group_by and identity. What they say decides for the rule which
// thing it is, whatever the conventions say of them.
func (r *Rule) NamesResource() []string {
	keys := slices.Clone(r.Identity)
	for _, f := range r.GroupBy {
		if f.Location == attr.InResource {
			keys = append(keys, f.Key)
		}
	}
	targets := []*Target{}
	for _, in := range r.Kind.Inputs() {
		targets = append(targets, in.Target)
	}
	if r.OnlyIf != nil {
		targets = append(targets, &r.OnlyIf.Target)
	}
	for _, t := range targets {
		for i := range t.Selector.resource {
			keys = append(keys, t.Selector.resource[i].key)
		}
	}
	return keys
}

// Upgraded returns the key of the group to which a stored alert belongs today. The stored key may have what a build took for identifying that took
// nearly all: the attributes of the alert's resource, or else those alone that entity references named; byConventions tells that it was made as keys
// are today. And builds for which {in: [p]} was another match than p had p in the key.
func (r *Rule) Upgraded(stored string, resource []attr.Attr, byConventions bool) string {
	if r.Pinned() {
		return r.PinnedKey()
	}
	if r.GroupGiven && !r.ByResource {
		return stored
	}
	keyed, err := attr.DecodeGroup(stored)
	if err != nil {
		return stored
	}
	if !r.GroupGiven {
		n := len(keyed)
		keyed = slices.DeleteFunc(keyed, func(a attr.Located) bool { return a.Location == attr.InPoint && r.Value.Selector.pins(a.Key) })
		if len(keyed) < n {
			stored = attr.EncodeGroup(keyed)
		}
	}
	if r.Identity != nil || byConventions {
		return stored
	}
	if now, ok := r.upgradedIdentity(keyed, resource); ok {
		return attr.EncodeGroup(now)
	}
	return stored
}

// upgradedIdentity puts what identifies the resource today in place of what did. It fails where the key is not made of this resource.
func (r *Rule) upgradedIdentity(keyed []attr.Located, resource []attr.Attr) (now []attr.Located, ok bool) {
	has := func(key string) bool {
		_, ok := attr.Lookup(resource, key)
		return ok
	}
	named := func(key string) bool { return slices.Contains(r.GroupBy, GroupField{attr.InResource, key}) }
	var before []attr.Located
	for _, a := range keyed {
		if a.Location != attr.InResource || named(a.Key) {
			now = append(now, a)
			continue
		}
		if v, there := attr.Lookup(resource, a.Key); !there || v != a.Value {
			return nil, false
		}
		before = append(before, a)
	}
	inKey := func(key string) bool {
		return slices.ContainsFunc(before, func(a attr.Located) bool { return a.Key == key })
	}
	referred := false // Entity references said what identifies it.
	for _, a := range resource {
		referred = referred || !named(a.Key) && inKey(a.Key) != alertschema.IdentifiedResource(a.Key, r.Value.Metric)
	}
	for _, a := range resource {
		if named(a.Key) {
			continue
		}
		if alertschema.IdentifiesResource(a.Key, r.Value.Metric, has) || referred && inKey(a.Key) && !alertschema.KnowsResource(a.Key) {
			now = append(now, attr.Located{Location: attr.InResource, Attr: a})
		}
	}
	return now, true
}

// IsShare tells whether values of the metric are shares of a whole by its name: a utilization, or a statistic of one, such as
// system.cpu.utilization.p95.
func IsShare(metric string) bool {
	return strings.HasSuffix(metric, ".utilization") || strings.Contains(metric, ".utilization.")
}

// maxSubject bounds each attribute that Subject names, in bytes.
const maxSubject = 256

// Subject names what a resource describes: the process, of a metric of processes, and the host.
func Subject(metric string, resource []attr.Attr) string {
	text := func(key string) string {
		v, _ := attr.Lookup(resource, key)
		return printable.Text(alertschema.CutText(v.AsString(), maxSubject))
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
	if b.Len() == 0 {
		if name := cmp.Or(text("k8s.pod.name"), text("container.name"), text("service.name")); name != "" {
			b.WriteString(" of " + name)
		}
	}
	if host := cmp.Or(text("host.name"), text("k8s.node.name")); host != "" {
		b.WriteString(" on " + host)
	}
	return b.String()
}
