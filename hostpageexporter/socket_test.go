package hostpageexporter

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confignet"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

func TestRemoveLeftSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		testenv.Missing(t, "sockets that are files")
	}
	dir := t.TempDir()
	remove := func(path string, transport confignet.TransportType) {
		require.NoError(t, removeLeftSocket(t.Context(), &confignet.AddrConfig{Endpoint: path, Transport: transport}))
	}
	listen := func(path string) *net.UnixListener {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		require.NoError(t, err)
		l.SetUnlinkOnClose(false) // As if it were killed.
		return l
	}
	left := filepath.Join(dir, "left.sock")
	shut(listen(left))
	remove(left, confignet.TransportTypeTCP)
	assert.FileExists(t, left)
	remove(left, confignet.TransportTypeUnix)
	assert.NoFileExists(t, left)

	used := filepath.Join(dir, "used.sock")
	l := listen(used)
	defer shut(l)
	remove(used, confignet.TransportTypeUnix)
	assert.FileExists(t, used, "somebody listens")

	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	remove(file, confignet.TransportTypeUnix)
	assert.FileExists(t, file, "no socket")
	remove(filepath.Join(dir, "missing"), confignet.TransportTypeUnix)
}

// TestASocketThatWasLeft: a page begins where one was killed.
func TestASocketThatWasLeft(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "page.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	shut(l)
	start(t, func(cfg *Config) {
		cfg.ServerConfig.NetAddr.Transport, cfg.ServerConfig.NetAddr.Endpoint = confignet.TransportTypeUnix, socket
	})
}
