package alert

// attrSource tells where an attribute stands.
type attrSource uint8

// The numbers are stored, rule versions and alert IDs are made of them, and group keys have their attributes in order of them: append only.
const (
	// fromPoint is an attribute of the data point.
	fromPoint attrSource = 0
	// fromResource is an attribute of the resource.
	fromResource attrSource = 1
	// fromScope is an attribute of the instrumentation scope.
	fromScope attrSource = 2
)
