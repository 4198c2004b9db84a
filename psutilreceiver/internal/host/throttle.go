package host

// ThrottleScope is what is slowed down because it is too hot.
type ThrottleScope uint8

// The scopes.
const (
	ThrottleCore ThrottleScope = iota
	ThrottlePackage
)

// Throttle is how often and for how long a core, or a package, was slowed down because it was too hot.
type Throttle struct {
	Scope ThrottleScope
	// CPU is the logical number of the first CPU of the core, or of the package.
	CPU    int
	Online bool    // while it is not, the values are the last ones
	Events int64   // since boot; Odd where it could not be read
	Time   float64 // since boot, in seconds; -1 where the kernel does not report it, as before 5.13, or it was not asked for
}

// Throttles reads how often and for how long the CPUs of a host were slowed down because they were too hot.
type Throttles struct {
	host     *Host
	withTime bool
	samples  []Throttle
	throttleFiles
}

// NewThrottles returns a reader of what the CPUs of a host have counted, and of the times as well if they are asked for.
func NewThrottles(h *Host, withTime bool) *Throttles { return &Throttles{host: h, withTime: withTime} }
