package alertschema

import "strings"

// Keys of the attributes of alert records. Beside them a record has the attributes of the alert's group under their own keys.
const (
	// KeyAlertID identifies the alert permanently: a hash of the rule's name and the group; 16 hex digits. See AlertID.
	KeyAlertID = "alert.id"
	// KeyEpisodeID identifies the episode, from a fire to its resolve; 16 hex digits. See EpisodeID.
	KeyEpisodeID = "alert.episode.id"
	// KeyRecordUID is equal for duplicates of one record, also across replicas. It is an attribute of the semantic conventions.
	KeyRecordUID = "log.record.uid"
	// KeyTransition is what happened: the name of a Transition.
	KeyTransition = "alert.transition"
	// KeyState is the state after the transition: the name of a State.
	KeyState = "alert.state"
	// KeyPreviousState is the state that the last record of the alert announced.
	KeyPreviousState = "alert.state.previous"
	// KeySeverity is the name of the level in force; on resolve, of the last one announced.
	KeySeverity = "alert.severity"
	// KeyPreviousSeverity is the name of the level that the last record announced; absent on fire.
	KeyPreviousSeverity = "alert.severity.previous"
	// KeyReason is why: the name of a Reason.
	KeyReason = "alert.reason"
	// KeyRuleName is the rule's name.
	KeyRuleName = "alert.rule.name"
	// KeyRuleVersion is a hash of all of the rule that decides; 8 hex digits.
	KeyRuleVersion = "alert.rule.version"
	// KeyRuleDescription is the rule's description, if it has one.
	KeyRuleDescription = "alert.rule.description"
	// KeyMetricName is the metric that the rule looks at.
	KeyMetricName = "alert.metric.name"
	// KeyMetricUnit is the metric's unit, if it has one.
	KeyMetricUnit = "alert.metric.unit"
	// KeyValue is the value that was compared, a double; absent when there is none.
	KeyValue = "alert.value"
	// KeyThreshold is the bound that it was compared with, a double; absent when there is none.
	KeyThreshold = "alert.threshold"
	// KeyComparison is how: the sign or the word of the comparison.
	KeyComparison = "alert.comparison"
	// KeyPoint is the statistic of histogram or summary points that was compared; absent for numbers.
	KeyPoint = "alert.point"
	// KeyAggregation is the aggregation over the window; absent for a plain last value.
	KeyAggregation = "alert.aggregation"
	// KeyWindow is the length of the window in seconds, a double; absent without one.
	KeyWindow = "alert.window"
	// KeyChangeSince is how long before the earlier time is that a change is since, in seconds, a double; absent without one.
	KeyChangeSince = "alert.change.since"
	// KeyStartedAt is the event time at which the episode began: RFC 3339 with nanoseconds, in UTC.
	KeyStartedAt = "alert.started_at"
	// KeyEndedAt is the event time at which the episode ended, in the form of KeyStartedAt; on resolved alerts only.
	KeyEndedAt = "alert.ended_at"
	// KeyDuration is how long the alert has been firing, in seconds, a double.
	KeyDuration = "alert.duration"
	// KeyOccurrences is the number of the transition within the episode, from 1, an int.
	KeyOccurrences = "alert.occurrences"
	// KeySilencedBy is the person whose silence covers the alert; absent where no person's silence does.
	KeySilencedBy = "alert.silenced_by"
	// KeySilencedUntil is when that silence ends, in the form of KeyStartedAt.
	KeySilencedUntil = "alert.silenced_until"
	// KeySilenceID identifies that silence; 16 hex digits.
	KeySilenceID = "alert.silence.id"
	// KeyAcknowledgedBy is the person who looks after the alert; absent when nobody does.
	KeyAcknowledgedBy = "alert.acknowledged_by"
	// KeyAcknowledgedAt is since when, in the form of KeyStartedAt.
	KeyAcknowledgedAt = "alert.acknowledged_at"
	// KeyComment is what the person said who silenced or acknowledged the alert; on the records of that alone.
	KeyComment = "alert.comment"
	// PrefixLabel stands before the name of each of the rule's labels.
	PrefixLabel = "alert.label."
	// PrefixAnnotation stands before the name of each of the rule's annotations.
	PrefixAnnotation = "alert.annotation."
	// KeySuppressedCount is how many records a summary tells of, an int.
	KeySuppressedCount = "alert.suppressed.count"
	// PrefixSuppressed stands before RULE.SEVERITY: how many records of them a summary tells of, an int.
	PrefixSuppressed = "alert.suppressed."
	// PrefixGroup stands before the key of an attribute of the alert's group that has a key of the schema's: what the data calls alert.label.x
	// is no label of the rule.
	PrefixGroup = "attribute."
)

// prefix stands before every key of the schema but KeyRecordUID.
const prefix = "alert."

// Defines tells whether an attribute of a record is the schema's. All others are those of the alert's group.
func Defines(key string) bool { return strings.HasPrefix(key, prefix) || key == KeyRecordUID }

// GroupKey is the key under which a record has an attribute of the alert's group: its own, unless the schema has one of that name.
func GroupKey(key string) string {
	if Defines(key) {
		return PrefixGroup + key
	}
	return key
}
