package attr

// Number is a float that may be unknown.
type Number struct {
	Float64 float64
	Valid   bool
}

// Label is one label or annotation with its rendered text.
type Label struct{ Key, Text string }
