package psutilreceiver

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// hostmetricsShape rewrites a configuration that is written for hostmetricsreceiver into the keys of this receiver. What this receiver has at
// another place is moved there; what has no effect here is taken out, and said in notes.
type hostmetricsShape struct {
	raw     map[string]any // as written; only read
	deleted []string       // paths that are taken out
	set     map[string]any // what is put in
	notes   []string
	errs    []error
	perCPU  []string // metrics of the CPUs that are asked for by CPU
}

// rewriteHostmetrics returns the configuration in the keys of this receiver, what else it says, and what could not be rewritten. The values that stay where
// they are keep the form that they had before environment variables were put in.
func rewriteHostmetrics(conf *confmap.Conf) (rewritten *confmap.Conf, said hostmetricsSaid, errs []error) {
	s := &hostmetricsShape{raw: conf.ToStringMap(), set: map[string]any{}}
	s.renameMetrics()
	scrapers, _ := s.raw["scrapers"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(scrapers)) {
		if block, ok := scrapers[name].(map[string]any); ok {
			s.scraper(name, block)
		}
	}
	said = hostmetricsSaid{notes: s.notes, cpusTogether: s.cpusTogether()}
	if len(s.deleted) == 0 && len(s.set) == 0 {
		return conf, said, s.errs
	}
	rewritten = confmap.New()
	if err := rewritten.Merge(conf); err != nil {
		return conf, said, append(s.errs, err)
	}
	for _, path := range s.deleted {
		rewritten.Delete(path)
	}
	for name := range scrapers {
		if path := below("scrapers", name); !rewritten.IsSet(path) { // The key was all that the block had.
			s.put(path, nil)
		}
	}
	if err := rewritten.Merge(confmap.NewFromStringMap(s.set)); err != nil {
		s.errs = append(s.errs, err)
	}
	return rewritten, said, s.errs
}

// hostmetricsSaid is what a configuration of hostmetricsreceiver says that no key of this receiver has.
type hostmetricsSaid struct {
	notes        []string // to be told when the receiver starts
	cpusTogether []string // metrics of all CPUs together, though another one is by CPU
}

func below(path ...string) string { return strings.Join(path, confmap.KeyDelimiter) }

// put sets the value at a path.
func (s *hostmetricsShape) put(path string, value any) {
	at := s.set
	keys := strings.Split(path, confmap.KeyDelimiter)
	for _, key := range keys[:len(keys)-1] {
		next, ok := at[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[key] = next
		}
		at = next
	}
	if last := keys[len(keys)-1]; value != nil || at[last] == nil {
		at[last] = value
	}
}

// move takes a value from a path of this name, and puts it at another, where there must be no other value.
func (s *hostmetricsShape) move(from, to string, value any) {
	s.deleted = append(s.deleted, from)
	if other, there := s.at(to); there && !reflect.DeepEqual(other, value) {
		s.errs = append(s.errs, fmt.Errorf("%s is %v, and %s, which is the same, is %v: leave one of them out", from, value, to, other))
		return
	}
	s.put(to, value)
}

// at returns the value at a path, of what is put in or of what was written.
func (s *hostmetricsShape) at(path string) (any, bool) {
	for _, root := range []map[string]any{s.set, s.raw} {
		var at any = root
		there := true
		for key := range strings.SplitSeq(path, confmap.KeyDelimiter) {
			var block map[string]any
			if block, there = at.(map[string]any); there {
				at, there = block[key]
			}
			if !there {
				break
			}
		}
		if there {
			return at, true
		}
	}
	return nil, false
}

// scraper rewrites the block of one scraper.
func (s *hostmetricsShape) scraper(name string, block map[string]any) {
	path := below("scrapers", name)
	if metrics, ok := block["metrics"].(map[string]any); ok {
		for _, metric := range slices.Sorted(maps.Keys(metrics)) {
			s.metric(name, metric, metrics)
		}
	}
	s.deleteBlock(path, "metrics", block)
	for _, key := range slices.Sorted(maps.Keys(block)) {
		match, ok := block[key].(map[string]any)
		if !ok || !strings.HasPrefix(key, "include") && !strings.HasPrefix(key, "exclude") {
			continue
		}
		if _, there := match["regexp"]; there {
			s.deleted = append(s.deleted, below(path, key, "regexp"))
			s.notes = append(s.notes, below(path, key, "regexp")+" has no effect: what a name matches is not looked up a second time")
		}
	}
	if name == "process" {
		s.process(path, block)
	}
}

// process rewrites what only the block of the process scraper has.
func (s *hostmetricsShape) process(path string, block map[string]any) {
	if delay, there := block["scrape_process_delay"]; there {
		switch delay.(type) {
		case string, nil:
		default:
			s.errs = append(s.errs, fmt.Errorf("%s is %v: a duration has a unit, as in %vs", below(path, "scrape_process_delay"), delay, delay))
			return
		}
		s.move(below(path, "scrape_process_delay"), below(path, "min_age"), delay)
	}
	if attributes, ok := block["resource_attributes"].(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			s.resourceAttribute(below(path, "resource_attributes", name), name, attributes[name])
		}
	}
	s.deleteBlock(path, "resource_attributes", block)
	var muted []string
	for _, key := range slices.Sorted(maps.Keys(block)) {
		if slices.Contains(muteKeys, key) {
			s.deleted = append(s.deleted, below(path, key))
			muted = append(muted, key)
		}
	}
	if len(muted) > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%s: %s without effect: a process that can't be read is counted, and never logged singly",
			path, strings.Join(muted, ", ")))
	}
}

// deleteBlock takes out a block of which everything has been moved.
func (s *hostmetricsShape) deleteBlock(path, key string, block map[string]any) {
	value, there := block[key]
	if !there {
		return
	}
	if _, isBlock := value.(map[string]any); !isBlock && value != nil {
		s.errs = append(s.errs, fmt.Errorf("%s is %v: it must be a block of keys", below(path, key), value))
	}
	s.deleted = append(s.deleted, below(path, key))
}

// muteKeys are the keys of hostmetricsreceiver that keep it from logging what of a process it can't read.
var muteKeys = []string{
	"mute_process_all_errors", "mute_process_cgroup_error", "mute_process_exe_error", "mute_process_io_error", "mute_process_name_error",
	"mute_process_user_error",
}

func (s *hostmetricsShape) resourceAttribute(path, name string, value any) {
	known := confkeys.Of(reflect.TypeFor[metadata.ResourceAttributesConfig]())
	if name == "process.cgroup" {
		name = "process.linux.cgroup"
		if _, both := s.at(below("scrapers", "process", "resource_attributes", name)); both {
			return // That key decides.
		}
	}
	if !slices.Contains(known, name) {
		s.errs = append(s.errs, fmt.Errorf("%s: unknown resource attribute %q %s", path, name, suggest.DidYouMean(name, known)))
		return
	}
	s.move(path, below("resource_attributes", name), value)
}

// renameMetrics gives the metrics under the receiver's own key that hostmetricsreceiver has under another name theirs of today.
func (s *hostmetricsShape) renameMetrics() {
	metrics, _ := s.raw["metrics"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		if today, renamed := nameToday(name); renamed {
			s.move(below("metrics", name), below("metrics", today), metrics[name])
		}
	}
}

// metric moves the switch of a metric from the block of a scraper to the receiver's.
func (s *hostmetricsShape) metric(scraper, name string, metrics map[string]any) {
	path := below("scrapers", scraper, "metrics", name)
	old, v1 := strings.CutSuffix(name, "@v1")
	if _, both := metrics[old]; v1 && both {
		return // The other key decides: there is one metric for both.
	}
	block, ok := metrics[name].(map[string]any)
	if metrics[name] != nil && !ok {
		s.errs = append(s.errs, fmt.Errorf("%s is %v: it must be a block of keys; allowed is enabled", path, metrics[name]))
		return
	}
	s.aggregation(path, scraper, name, block)
	enabled, set := block["enabled"]
	if old == "process.disk.operations" {
		if enabled == true {
			s.notes = append(s.notes, path+" has no effect: hostmetricsreceiver counts system calls there, of which most never come to a disk; "+
				"process.disk.io has the bytes")
		}
		return
	}
	today, _ := nameToday(old)
	known := confkeys.Of(reflect.TypeFor[metadata.MetricsConfig]())
	if !slices.Contains(known, today) {
		s.errs = append(s.errs, fmt.Errorf("%s: unknown metric %q %s", below("scrapers", scraper, "metrics"), name, suggest.DidYouMean(name, known)))
		return
	}
	if !set {
		return
	}
	if on, isBool := enabled.(bool); !isBool {
		s.errs = append(s.errs, fmt.Errorf("%s is %v: it must be true or false", below(path, "enabled"), enabled))
	} else {
		s.move(below(path, "enabled"), below("metrics", today, "enabled"), on)
	}
}

// aggregation checks the keys of a metric that aggregate its points: without an attribute it would have other points than here.
func (s *hostmetricsShape) aggregation(path, scraper, name string, block map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(block)) {
		if !slices.Contains([]string{"enabled", "attributes", "aggregation_strategy"}, key) {
			s.errs = append(s.errs, fmt.Errorf("%s: unknown key %q %s", path, key,
				suggest.DidYouMean(key, []string{"enabled", "attributes", "aggregation_strategy"})))
		}
	}
	written, there := block["attributes"]
	if !there {
		return // The strategy has an effect only where an attribute is left out.
	}
	list, ok := written.([]any)
	if !ok && written != nil {
		s.errs = append(s.errs, fmt.Errorf("%s is %v: it must be a list of attributes", below(path, "attributes"), written))
		return
	}
	var attributes []string
	for _, a := range list {
		attributes = append(attributes, fmt.Sprint(a))
	}
	all := hostmetricsAttributes[name]
	for _, a := range attributes {
		if !slices.Contains(all, a) {
			s.errs = append(s.errs, fmt.Errorf("%s names %q, which the metric does not have: allowed are %s", below(path, "attributes"), a, strings.Join(all, ", ")))
			return
		}
	}
	if scraper == "cpu" && slices.Contains(attributes, "cpu") && name != "system.cpu.frequency" {
		s.setPerCPU(strings.TrimSuffix(name, "@v1"))
	}
	for _, a := range all {
		if slices.Contains(attributes, a) || a == "cpu" && name != "system.cpu.frequency" {
			continue
		}
		s.errs = append(s.errs, fmt.Errorf("%s leaves out %q: this receiver does not aggregate over attributes. Leave the key out, and put into a transform "+
			"processor, under metric_statements: aggregate_on_attributes(%q, [%s]) where metric.name == %q",
			below(path, "attributes"), a, strategyOf(block), quoted(attributes), strings.TrimSuffix(name, "@v1")))
		return
	}
}

// setPerCPU has a metric by CPU, unless the configuration says itself whether those that can be are.
func (s *hostmetricsShape) setPerCPU(metric string) {
	path := below("scrapers", "cpu", "per_cpu")
	if _, written := s.at(path); !written || len(s.perCPU) > 0 {
		s.put(path, true)
		s.perCPU = append(s.perCPU, metric)
	}
}

// cpusTogether are the metrics that are not asked for by CPU where another one is: each has the points that its own attributes say.
func (s *hostmetricsShape) cpusTogether() []string {
	if len(s.perCPU) == 0 {
		return nil
	}
	return slices.DeleteFunc([]string{systemCPUTime, systemCPUUtilization}, func(metric string) bool { return slices.Contains(s.perCPU, metric) })
}

func strategyOf(block map[string]any) string {
	switch strategy := fmt.Sprint(block["aggregation_strategy"]); strategy {
	case "avg":
		return "mean"
	case "min", "max":
		return strategy
	default:
		return "sum"
	}
}

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(out, ", ")
}
