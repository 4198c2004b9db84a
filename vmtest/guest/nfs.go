package main

import (
	"fmt"
	"net"
	"os"

	"github.com/go-git/go-billy/v5/osfs"
	nfs "github.com/willscott/go-nfs"
	"github.com/willscott/go-nfs/helpers"
	"golang.org/x/sys/unix"
)

// serveNFS serves a folder by NFS version 3, without a portmapper. A server that is a process can be stopped, and goes on later, as one
// whose network is away.
func serveNFS(folder, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	handler := helpers.NewCachingHandler(helpers.NewNullAuthHandler(osfs.New(folder)), 1024)
	return nfs.Serve(listener, handler)
}

// mountNFS mounts what serveNFS serves, hard, as administrators do: the kernel asks again for ever when the server does not answer.
func mountNFS(address, mountpoint string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(mountpoint, 0o755); err != nil {
		return err
	}
	options := fmt.Sprintf("vers=3,proto=tcp,port=%s,mountport=%s,mountproto=tcp,mountvers=3,nolock,hard,timeo=10,retrans=2,noac,addr=%s", port, port, host)
	return unix.Mount(host+":/", mountpoint, "nfs", 0, options)
}
