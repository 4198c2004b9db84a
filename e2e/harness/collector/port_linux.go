package collector

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
)

// claims are the ports that this process has given out: sockets in the abstract namespace (unix(7)), which the kernel closes with the process.
var claims struct {
	mu   sync.Mutex
	held []net.Listener
}

// FreePort is a loopback port that nobody listens on. A port that is only looked up may be taken again before it is bound: by a connection
// that goes out, or by another test. So it is none of those that the kernel chooses from, and it is claimed for as long as this process runs.
func FreePort() (int, error) {
	const ports, least = 8000, 1024
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0, err
	}
	var ephemeral int // The lowest that the kernel chooses.
	if _, err := fmt.Sscan(string(text), &ephemeral); err != nil {
		return 0, err
	}
	if ephemeral < least+ports {
		return portOfKernel()
	}
	for range ports {
		port := ephemeral - 1 - rand.IntN(ports)
		if claim(port) {
			return port, nil
		}
	}
	return 0, errors.New("no free port")
}

// claim takes a port if no other process has claimed it, or listens there.
func claim(port int) bool {
	name, err := net.Listen("unix", fmt.Sprintf("@otelcol-psutil/port/%d", port))
	if err != nil {
		return false
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		_ = name.Close()
		return false
	}
	_ = listener.Close()
	claims.mu.Lock()
	defer claims.mu.Unlock()
	claims.held = append(claims.held, name)
	return true
}
