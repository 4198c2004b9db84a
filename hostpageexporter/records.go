package hostpageexporter

// Names of alert records that the schema does not have: of a rule that a component says at its start, and of what all names begin with.
const (
	eventRule            = "alert.rule"
	attributeAlertPrefix = "alert."
)
