package rules

import "time"

// Config is what an operator writes. The struct tags let the Collector's confmap decode into it directly;
// Compile checks it and turns it into the form that the engine runs.
type Config struct {
	// EvaluationInterval is how often Evaluate is called for what time alone decides. At least 1s.
	EvaluationInterval time.Duration `mapstructure:"evaluation_interval"`
	// Severities is the order of the ladder, least first: a list of names, or a map from name to OTLP severity number.
	Severities any `mapstructure:"severities"`
	// Preset is a built-in set of rules: its name, or a PresetConfig with what is changed of it. A rule of the same name replaces the preset's.
	Preset any `mapstructure:"preset"`
	// Defaults hold for every rule that does not say otherwise.
	Defaults DefaultsConfig `mapstructure:"defaults"`
	// Limits bound memory and output.
	Limits LimitsConfig `mapstructure:"limits"`
	// Output says which records are wanted.
	Output OutputConfig `mapstructure:"output"`
	// Silences are windows of time in which matching alerts are not announced. Their state keeps evolving.
	Silences []SilenceConfig `mapstructure:"silences"`
	// Rules are the rules; flat rules of one name merge into one ladder.
	Rules []RuleConfig `mapstructure:"rules"`
}

// DefaultsConfig holds settings that a rule may override.
type DefaultsConfig struct {
	// For is how long a level must be breached before it fires, in event time.
	For time.Duration `mapstructure:"for"`
	// KeepFiringFor is how long the clear condition must hold before the alert steps down, in event time.
	KeepFiringFor time.Duration `mapstructure:"keep_firing_for"`
	// Hysteresis is the relative distance used where a level has no clear: 0.1 clears "above 80" at 72.
	Hysteresis float64 `mapstructure:"hysteresis" confkeys:"share"`
	// Lookback is how long the last value counts as current: a duration, or "auto" (4 intervals, 30s to 5m).
	Lookback string `mapstructure:"lookback" confkeys:"duration"`
	// NoData is what happens when values stop.
	NoData NoDataConfig `mapstructure:"no_data"`
	// Identity lists the resource attributes that say which thing an alert is about. Absent: those that the semantic conventions and entity
	// references of the resource name.
	Identity []string `mapstructure:"identity"`
	// StaleSeriesAfter is when a silent series is forgotten.
	StaleSeriesAfter time.Duration `mapstructure:"stale_series_after"`
	// NewSeriesDelay is how long a new series is ignored.
	NewSeriesDelay time.Duration `mapstructure:"new_series_delay"`
	// MinSamples is how many samples a window needs; with fewer it is ignored.
	MinSamples int `mapstructure:"min_samples"`
	// FullWindow makes a window wait until samples cover it; false takes what samples there are for the whole. Absent: a value counts as
	// soon as what is missing can't change what it says.
	FullWindow *bool `mapstructure:"full_window"`
	// RepeatInterval repeats a firing alert's record; 0 never does.
	RepeatInterval time.Duration `mapstructure:"repeat_interval"`
	// Flapping is the latch on alerts that change too often.
	Flapping FlappingConfig `mapstructure:"flapping"`
}

// NoDataConfig is the policy for values that stop. Zero fields take the default's.
type NoDataConfig struct {
	// After is the age of the last sample from which the policy applies.
	After time.Duration `mapstructure:"after"`
	// Action is keep (say so, stay), resolve (as if the value were healthy), alert (fire), close (resolve at once).
	Action string `mapstructure:"action"`
}

// FlappingConfig is the flapping latch. Zero fields take the default's.
type FlappingConfig struct {
	// Enabled turns the latch on.
	Enabled *bool `mapstructure:"enabled"`
	// Transitions is how many changes Within latch the alert. At least 3.
	Transitions int `mapstructure:"transitions"`
	// Within is the span in which the changes are counted.
	Within time.Duration `mapstructure:"within"`
	// StableFor is how long the alert must not change before the latch opens.
	StableFor time.Duration `mapstructure:"stable_for"`
}

// LimitsConfig bounds the engine.
type LimitsConfig struct {
	// Series is how many series are held; samples of further ones are ignored and counted.
	Series int `mapstructure:"series"`
	// SamplesPerSeries is how many samples a window holds; the oldest give way.
	SamplesPerSeries int `mapstructure:"samples_per_series"`
	// AlertsPerRule is how many alerts of one rule are announced at a time; further ones wait.
	AlertsPerRule int `mapstructure:"alerts_per_rule"`
	// EventsPerMinute is the storm budget. Resolves are outside it.
	EventsPerMinute int `mapstructure:"events_per_minute"`
	// Outbox is how many undelivered records are held.
	Outbox int `mapstructure:"outbox"`
	// MaxSampleAge is the age beyond which a sample is ignored.
	MaxSampleAge time.Duration `mapstructure:"max_sample_age"`
	// AttributesPerResource and AttributesPerPoint are how many attributes of a resource, and of a scope or a data point, are read; those that rules
	// name come first, and the rest is left out.
	AttributesPerResource int `mapstructure:"attributes_per_resource"`
	AttributesPerPoint    int `mapstructure:"attributes_per_point"`
	// AttributeBytes bounds a key and a value; a longer one is cut, with a hash of the whole at the end. All of a resource, scope or point are at
	// most AttributeSetFactor times as long.
	AttributeBytes int `mapstructure:"attribute_bytes"`
	// AttributeDepth is how many lists and maps may be in one another; a deeper value is left out.
	AttributeDepth int `mapstructure:"attribute_depth"`
	// TimesPerBatch is at how many different times of one batch a group is evaluated, the newest ones.
	TimesPerBatch int `mapstructure:"times_per_batch"`
	// MemoryMiB bounds what the engine holds by its own estimate; 0 is 8 KiB for each of Series.
	MemoryMiB int `mapstructure:"memory_mib"`
	// KnownAfter is for how long a host is new, and by how much longer another must have been known later for a part of the limits to be kept for it.
	KnownAfter time.Duration `mapstructure:"known_after"`
}

// AttributeSetFactor is how many times AttributeBytes all attributes of a resource, a scope or a data point may have.
const AttributeSetFactor = 4

// MinAttributeBytes is the least that LimitsConfig.AttributeBytes can be: a hash and some text have room.
const MinAttributeBytes = 64

// Memory is how many bytes the engine may hold.
func (l *LimitsConfig) Memory() int64 {
	if l.MemoryMiB > 0 {
		return int64(l.MemoryMiB) << 20
	}
	return max(int64(l.Series)*bytesPerSeries, minMemory)
}

const (
	bytesPerSeries = 8 << 10
	minMemory      = 16 << 20
)

// OutputConfig selects records.
type OutputConfig struct {
	// SendResolved keeps the resolve records.
	SendResolved bool `mapstructure:"send_resolved"`
	// Rules has a record made of each level of each rule at the start, so that who gets the records knows the thresholds before anything fires.
	Rules bool `mapstructure:"rules"`
}

// SilenceConfig is one silence: From and To, or Cron and Duration, or Active.
type SilenceConfig struct {
	// Match says which alerts are silenced. It is written as RuleConfig.Match: "resource" and "scope" hold their attributes, a key at the top is
	// an attribute of the group or else of the resource, or one of alert.rule.name, alert.severity and alert.label.<name>.
	Match map[string]any `mapstructure:"match"`
	// All, in place of Match, silences all alerts.
	All bool `mapstructure:"all"`
	// From and To bound the window: RFC 3339 text or a timestamp. Either may be absent.
	From any `mapstructure:"from"`
	To   any `mapstructure:"to"`
	// Cron starts a window at every matching minute: five fields, UTC.
	Cron string `mapstructure:"cron"`
	// Duration is the length of a window that Cron starts.
	Duration time.Duration `mapstructure:"duration"`
	// Active are hours of the week in which the silence is in force, between From and To if these are set.
	Active *ActiveConfig `mapstructure:"active"`
}

// RuleConfig is one rule: a ladder (Thresholds), the flat form (Threshold or Above … with Severity), or Absent.
type RuleConfig struct {
	// Name identifies the rule and its alerts.
	Name string `mapstructure:"name"`
	// Description is copied to the records.
	Description string `mapstructure:"description"`
	// Metric is the metric's name.
	Metric string `mapstructure:"metric"`
	// Statistic is the statistic of a histogram or summary point that is the point's value: pNN, min, max, avg, sum, count. It is of one
	// point; Aggregate then joins the points of a window.
	Statistic string `mapstructure:"statistic"`
	// Ratio, in place of Metric, divides one metric by another within each group.
	Ratio *RatioConfig `mapstructure:"ratio"`
	// OnlyIf is a condition on another metric of the same group without which nothing fires.
	OnlyIf *ConditionConfig `mapstructure:"only_if"`
	// Match selects series: data point attributes at the top, resource and scope attributes in the maps
	// "resource" and "scope". A value is a scalar or a map of operators: regex, not_regex, glob, in, exists. Patterns match whole values.
	Match map[string]any `mapstructure:"match"`
	// GroupBy lists the attributes that identify an alert, "resource." and "scope." in front where they are not
	// the data point's. Absent: the attributes that Match leaves open and the resource's identifying ones.
	GroupBy []string `mapstructure:"group_by"`
	// GroupAggregate joins the series of a group: sum, avg, min, max, count. Absent: the worst series decides.
	GroupAggregate string `mapstructure:"group_aggregate"`
	// Window is the span of samples that Aggregate sees, left-open.
	Window time.Duration `mapstructure:"window"`
	// Aggregate is last, avg, min, max, sum, count, stddev, pNN, rate or increase.
	Aggregate string `mapstructure:"aggregate"`
	// Change compares the value with what it was at an earlier time.
	Change *ChangeConfig `mapstructure:"change"`
	// Forecast compares the value that a straight line predicts.
	Forecast *ForecastConfig `mapstructure:"forecast"`
	// Absent fires when nothing comes.
	Absent *AbsentConfig `mapstructure:"absent"`
	// Scale and Offset make the rule's value: Offset + Scale × aggregated value. Scale is 1 when absent.
	Scale  *float64 `mapstructure:"scale"`
	Offset float64  `mapstructure:"offset"`
	// And makes the rule fire only while an alert of another rule fires. Unless holds back what is not announced yet while one does.
	And    *ReferenceConfig `mapstructure:"and"`
	Unless *ReferenceConfig `mapstructure:"unless"`
	// Active are the hours in which the rule's alerts are announced; outside of them they wait, as in a silence.
	Active *ActiveConfig `mapstructure:"active"`
	// Thresholds is the ladder by severity.
	Thresholds map[string]LevelConfig `mapstructure:"thresholds"`
	// ThresholdsBy gives groups thresholds of their own.
	ThresholdsBy *ThresholdsByConfig `mapstructure:"thresholds_by"`
	// Threshold is the flat form's Above.
	Threshold any `mapstructure:"threshold"`
	// Severity is the flat form's level.
	Severity string `mapstructure:"severity"`
	// LevelConfig is the flat form's level; its For, KeepFiringFor, ForSamples, Horizon and Message are defaults of a ladder's levels.
	LevelConfig `mapstructure:",squash"`
	// Labels go with every record. Templates, without the value.
	Labels map[string]string `mapstructure:"labels"`
	// Annotations go with every record. Templates.
	Annotations map[string]string `mapstructure:"annotations"`
	// Top is how many groups are announced at a time, worst first; 0 is no limit of its own.
	Top int `mapstructure:"top"`

	// The rest overrides DefaultsConfig.

	Hysteresis       *float64        `mapstructure:"hysteresis" confkeys:"share"`
	Lookback         string          `mapstructure:"lookback" confkeys:"duration"`
	NoData           *NoDataConfig   `mapstructure:"no_data"`
	Identity         []string        `mapstructure:"identity"`
	StaleSeriesAfter *time.Duration  `mapstructure:"stale_series_after"`
	NewSeriesDelay   *time.Duration  `mapstructure:"new_series_delay"`
	MinSamples       *int            `mapstructure:"min_samples"`
	FullWindow       *bool           `mapstructure:"full_window"`
	RepeatInterval   *time.Duration  `mapstructure:"repeat_interval"`
	Flapping         *FlappingConfig `mapstructure:"flapping"`

	addends         map[string]any   // Of a preset: the points that are added up for each of those of Match, and these too.
	inUse           *availableConfig // Of a preset: the value is the share of a total that is not available.
	ofPreset        bool             // Windows are as long as the preset has them, whatever the interval and the limits are.
	mayMatchNothing bool             // Of a preset: hosts without the thing are no mistake.
	eitherForm      bool             // Of a preset: points in the form of hostmetricsreceiver are taken, too.
}

// LevelConfig is one level of a ladder. A bound alone is Above. Exactly one of Above, Below, Outside and Inside is set. A bound is a
// number, or text with a unit: "80%" is 0.8 on unit "1" and 80 on unit "%"; "5GiB" goes with unit "By". Or it says where to read it: {metric, match,
// statistic} or {attribute, unit}, with group_aggregate, scale and offset.
type LevelConfig struct {
	Above   any `mapstructure:"above" confkeys:"alone"`
	Below   any `mapstructure:"below"`
	Outside any `mapstructure:"outside"`
	Inside  any `mapstructure:"inside"`
	// Clear is the bound (two for Outside and Inside) at which a firing level lets go.
	Clear any `mapstructure:"clear"`
	// For and KeepFiringFor override the defaults.
	For           *time.Duration `mapstructure:"for"`
	KeepFiringFor *time.Duration `mapstructure:"keep_firing_for"`
	// ForSamples, in place of For, is how many of the newest samples must breach the level.
	ForSamples *ForSamplesConfig `mapstructure:"for_samples"`
	// Horizon overrides Forecast.Horizon.
	Horizon time.Duration `mapstructure:"horizon"`
	// Message is the record's body. A template.
	Message string `mapstructure:"message"`
}

// ForSamplesConfig makes a level fire when Breached of the newest Of samples breach it, in whatever order, and let go when fewer of them do, or,
// where there is a clear bound, when fewer of them are beyond that.
type ForSamplesConfig struct {
	// Breached is at least 1.
	Breached int `mapstructure:"breached"`
	// Of is at least Breached and at most 64.
	Of int `mapstructure:"of"`
}

// SelectorConfig selects the points of a metric; the fields are as in RuleConfig.
type SelectorConfig struct {
	Metric    string         `mapstructure:"metric"`
	Match     map[string]any `mapstructure:"match"`
	Statistic string         `mapstructure:"statistic"`
}

// RatioConfig is the quotient of two metrics. Both sides are aggregated over the window and joined within the group first, by
// the sum if GroupAggregate does not say otherwise.
type RatioConfig struct {
	// Numerator is divided by Denominator.
	Numerator   SelectorConfig `mapstructure:"numerator"`
	Denominator SelectorConfig `mapstructure:"denominator"`
}

// ConditionConfig is a condition on the newest value of a metric. Exactly one of Above, Below, Outside and Inside is set, as in
// LevelConfig. Where several series belong to a group, one that meets the bound is enough.
type ConditionConfig struct {
	Metric    string         `mapstructure:"metric"`
	Match     map[string]any `mapstructure:"match"`
	Statistic string         `mapstructure:"statistic"`
	Above     any            `mapstructure:"above"`
	Below     any            `mapstructure:"below"`
	Outside   any            `mapstructure:"outside"`
	Inside    any            `mapstructure:"inside"`
}

// ForecastConfig is a linear forecast.
type ForecastConfig struct {
	// Window is the span of samples that the line is fitted to.
	Window time.Duration `mapstructure:"window"`
	// Horizon is how far ahead the line is read.
	Horizon time.Duration `mapstructure:"horizon"`
	// MinCoverage is the part of Window that samples must span, 0 to 1; 0.5 when absent.
	MinCoverage *float64 `mapstructure:"min_coverage" confkeys:"share"`
}

// ChangeConfig makes the rule's value the change since an earlier time: what it is now less what it was then, each aggregated over the window
// that ends there, and after Scale and Offset.
type ChangeConfig struct {
	// Since is how long before now the earlier time is.
	Since time.Duration `mapstructure:"since"`
	// Relative makes the change a percentage of what the value was, of unit "%".
	Relative bool `mapstructure:"relative"`
}

// AbsentConfig is the condition that no sample came.
type AbsentConfig struct {
	// For is the age of the last sample from which the alert fires.
	For time.Duration `mapstructure:"for"`
	// Expect makes the alert fire as well when no sample was ever seen.
	Expect bool `mapstructure:"expect"`
	// Expected lists the groups that are expected beside those that were seen: values of the one attribute of GroupBy, or, where that has
	// several, maps with a value for each.
	Expected []any `mapstructure:"expected"`
	// ExpectedFile is the path of a file with further values of the one attribute, a line each, which whoever compiles the rules has to put
	// into Expected.
	ExpectedFile string `mapstructure:"expected_file"`
	// StartGrace is how long after the start an expected series may take; 2m when absent.
	StartGrace *time.Duration `mapstructure:"start_grace"`
}

// DefaultConfig returns the configuration that holds where the operator writes nothing.
func DefaultConfig() Config {
	on := true
	return Config{
		EvaluationInterval: 15 * time.Second,
		Defaults: DefaultsConfig{
			Lookback:         "auto",
			NoData:           NoDataConfig{After: 5 * time.Minute, Action: "keep"},
			StaleSeriesAfter: 15 * time.Minute,
			MinSamples:       1,
			Flapping:         FlappingConfig{Enabled: &on, Transitions: 6, Within: 10 * time.Minute, StableFor: 10 * time.Minute},
		},
		Limits: LimitsConfig{
			Series: 10000, SamplesPerSeries: 4096, AlertsPerRule: 200,
			EventsPerMinute: 120, Outbox: 1000, MaxSampleAge: 5 * time.Minute,
			AttributesPerResource: 256, AttributesPerPoint: 128, AttributeBytes: 4096, AttributeDepth: 8, TimesPerBatch: 600, KnownAfter: 10 * time.Minute,
		},
		Output: OutputConfig{SendResolved: true},
	}
}

// Validate reports everything that is wrong with the configuration, one problem a line, but for silences of rules that are none of its own:
// these may stand in rule files.
func (c *Config) Validate() error {
	_, err := compile(*c, false)
	return err
}
