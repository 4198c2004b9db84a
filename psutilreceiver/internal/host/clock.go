package host

// Clock is how well the kernel's clock follows a reference time, by what the daemon that sets it (chrony, ntpd, systemd-timesyncd) told the kernel.
// Times are in seconds. One that can't be is Odd.
type Clock struct {
	// Offset is what the kernel has still to correct: positive where the clock is behind. A daemon that corrects the clock by its frequency alone
	// leaves it at zero.
	Offset float64
	// Synchronized is false where no daemon has set the clock, or none for so long that MaxError has come to 16 seconds.
	Synchronized   bool
	MaxError       float64 // no more than that is the clock off
	EstimatedError float64 // so much is it off at a guess
	// Frequency is by how many millionths the kernel makes the clock run faster, or slower if it is negative.
	Frequency float64
}
