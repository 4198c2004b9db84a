package hostpageexporter

// Names in the records of the alert component. Records are all that is known of it here.
const (
	eventStateChange = "alert.state_change"
	eventSuppressed  = "alert.suppressed"
	eventRuleError   = "alert.rule_error"
	eventRule        = "alert.rule"

	stateResolved  = "resolved"
	transitionFire = "fire"

	attributeUID              = "log.record.uid"
	attributeID               = "alert.id"
	attributeEpisode          = "alert.episode.id"
	attributeTransition       = "alert.transition"
	attributeState            = "alert.state"
	attributeSeverity         = "alert.severity"
	attributeReason           = "alert.reason"
	attributeRule             = "alert.rule.name"
	attributeMetric           = "alert.metric.name"
	attributeUnit             = "alert.metric.unit"
	attributeValue            = "alert.value"
	attributeThreshold        = "alert.threshold"
	attributeComparison       = "alert.comparison"
	attributeStarted          = "alert.started_at"
	attributeEnded            = "alert.ended_at"
	attributeLabelPrefix      = "alert.label."
	attributeAnnotationPrefix = "alert.annotation."
	attributeAlertPrefix      = "alert."
)
