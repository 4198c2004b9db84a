package collector

import "net"

// portOfKernel is a loopback port that nobody listens on at the moment, as the kernel chooses it.
func portOfKernel() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
