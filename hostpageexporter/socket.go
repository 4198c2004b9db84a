package hostpageexporter

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/config/confignet"
)

// removeLeftSocket removes the socket of a Collector that was killed, for nobody could listen there again. One on which somebody listens stays, and so
// does every other file.
func removeLeftSocket(ctx context.Context, address *confignet.AddrConfig) error {
	if address.Transport != confignet.TransportTypeUnix {
		return nil
	}
	info, err := os.Lstat(address.Endpoint)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return nil //nolint:nilerr // Listening says what is wrong, if anything is.
	}
	dialer := net.Dialer{Timeout: time.Second}
	connection, err := dialer.DialContext(ctx, "unix", address.Endpoint)
	if err == nil {
		return connection.Close()
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return os.Remove(address.Endpoint)
	}
	return nil
}
