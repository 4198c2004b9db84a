//go:build !linux

package collector

// FreePort is a loopback port that nobody listens on.
func FreePort() (int, error) { return portOfKernel() }
