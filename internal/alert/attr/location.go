package attr

// Location tells where an attribute stands.
type Location uint8

// The numbers are stored, rule versions and alert IDs are made of them, and group keys have their attributes in order of them: append only.
const (
	// InPoint is an attribute of the data point.
	InPoint Location = 0
	// InResource is an attribute of the resource.
	InResource Location = 1
	// InScope is an attribute of the instrumentation scope.
	InScope Location = 2
)
