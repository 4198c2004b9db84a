package host

import (
	"errors"
	"io/fs"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	nfsClientFile = "net/rpc/nfs"
	nfsServerFile = "net/rpc/nfsd"
)

// NFSTraffic is what came in over the network. The kernel's client leaves it at zero.
type NFSTraffic struct {
	UDP, TCP       int64 // datagrams, and records of TCP
	TCPConnections int64 // accepted
}

// NFSCall is how often one procedure or operation was called.
type NFSCall struct {
	Version int // of the protocol
	Name    string
	Count   int64
}

// NFSClient holds totals of the kernel's NFS client since it was loaded. A value is -1 where the kernel does not report it, Odd where it could not be
// read.
type NFSClient struct {
	Traffic                           NFSTraffic
	Calls, Retransmits, AuthRefreshes int64     // of RPC
	Procedures                        []NFSCall // of the versions 2 and 3
	Operations                        []NFSCall // of version 4
}

// NFSServer holds totals of the kernel's NFS server since it was loaded; Threads is of the moment. A value is -1 where the kernel does not report it,
// Odd where it could not be read.
type NFSServer struct {
	CacheHits, CacheMisses, CacheUnused int64 // of the reply cache; unused by calls that may be repeated
	StaleHandles                        int64
	ReadBytes, WrittenBytes             int64 // for clients
	Threads                             int64
	Traffic                             NFSTraffic
	Calls                               int64     // of RPC that could be parsed
	BadFormat, BadAuth, BadClient       int64     // calls that were refused
	Procedures                          []NFSCall // of the versions 2 to 4
	Operations                          []NFSCall // of version 4, which puts several into one call of COMPOUND
}

// NFSClient reads the totals of the NFS client into c, from /proc/net/rpc/nfs. ErrUnsupported where there is no client, and on other systems.
func (h *Host) NFSClient(c *NFSClient) error {
	text, file, err := h.readOfNetwork(nfsClientFile)
	if err != nil {
		return optional(err)
	}
	return c.parse(file, text)
}

// NFSServer reads the totals of the NFS server into s, from /proc/net/rpc/nfsd. ErrUnsupported where there is no server, and on other systems.
func (h *Host) NFSServer(s *NFSServer) error {
	text, file, err := h.readOfNetwork(nfsServerFile)
	if err != nil {
		return optional(err)
	}
	return s.parse(file, text)
}

// readOfNetwork reads a file of the host's network namespace, as Interfaces does.
func (h *Host) readOfNetwork(name string) (text []byte, file string, err error) {
	return h.readNetwork(name, h.read)
}

// readHeldOfNetwork is readOfNetwork for a file that every scrape reads: it is kept open.
func (h *Host) readHeldOfNetwork(name string) (text []byte, file string, err error) {
	return h.readNetwork(name, h.readHeld)
}

func (h *Host) readNetwork(name string, read func(string) ([]byte, error)) (text []byte, file string, err error) {
	file, ok := h.ofNetwork[name]
	if !ok {
		file = "proc/" + name
		if h.root != "" {
			file = "proc/1/" + name
		}
		h.ofNetwork[name] = file
	}
	text, err = read(file)
	if h.root != "" && errors.Is(err, fs.ErrPermission) {
		err = fs.ErrNotExist // As for a process without privileges: the network scraper says so.
	}
	return text, file, err
}

// nfsLines calls a function for each line of such a file, which has a key and numbers. It says whether it knows the key, and all numbers are there.
func nfsLines(file string, text []byte, line func(key string, values []byte) (known, whole bool)) error {
	odd := oddValues{file: file}
	found := false
	for rest := text; len(rest) > 0; {
		var l []byte
		ended := rest[len(rest)-1] == '\n'
		l, rest = proctext.Line(rest)
		key, values, _ := proctext.Column(l)
		known, whole := line(string(key), values)
		found = found || known
		if known && !whole || len(rest) == 0 && !ended {
			odd.add(l)
		}
	}
	if !found {
		return malformed(file, text)
	}
	return odd.err
}

// nfsNumbers reads numbers of a line into places of which nil ones are passed over, Odd where there is none.
func nfsNumbers(values []byte, places ...*int64) (whole bool) {
	whole = true
	for _, place := range places {
		var f []byte
		f, values, _ = proctext.Column(values)
		v, ok := proctext.Int(f)
		if !ok {
			v, whole = Odd, false
		}
		if place != nil {
			*place = v
		}
	}
	return whole
}

// nfsCalls adds the calls of one line, which begins with how many there are, in the order of their names. An empty name stands for a number that
// no call has. What the kernel has beyond the names is left out.
func nfsCalls(calls []NFSCall, values []byte, version int, names []string) (_ []NFSCall, whole bool) {
	f, values, _ := proctext.Column(values)
	n, whole := proctext.Int(f)
	read := int64(0)
	for {
		var there bool
		if f, values, there = proctext.Column(values); !there {
			return calls, whole && read == n
		}
		count, ok := proctext.Int(f)
		if !ok {
			count, whole = Odd, false
		}
		if read < int64(len(names)) && names[read] != "" {
			calls = append(calls, NFSCall{version, names[read], count})
		}
		read++
	}
}

func (c *NFSClient) parse(file string, text []byte) error {
	*c = NFSClient{
		Traffic: noNFSTraffic, Calls: absent, Retransmits: absent, AuthRefreshes: absent,
		Procedures: c.Procedures[:0], Operations: c.Operations[:0],
	}
	return nfsLines(file, text, func(key string, values []byte) (known, whole bool) {
		switch key {
		case "net":
			return true, nfsNumbers(values, nil, &c.Traffic.UDP, &c.Traffic.TCP, &c.Traffic.TCPConnections)
		case "rpc":
			return true, nfsNumbers(values, &c.Calls, &c.Retransmits, &c.AuthRefreshes)
		case "proc2":
			c.Procedures, whole = nfsCalls(c.Procedures, values, 2, nfs2Procedures)
		case "proc3":
			c.Procedures, whole = nfsCalls(c.Procedures, values, 3, nfs3Procedures)
		case "proc4":
			c.Operations, whole = nfsCalls(c.Operations, values, 4, nfs4ClientOperations)
		default:
			return false, true
		}
		return true, whole
	})
}

var noNFSTraffic = NFSTraffic{UDP: absent, TCP: absent, TCPConnections: absent}

func (s *NFSServer) parse(file string, text []byte) error {
	*s = NFSServer{
		CacheHits: absent, CacheMisses: absent, CacheUnused: absent, StaleHandles: absent, ReadBytes: absent, WrittenBytes: absent, Threads: absent,
		Traffic: noNFSTraffic, Calls: absent, BadFormat: absent, BadAuth: absent, BadClient: absent,
		Procedures: s.Procedures[:0], Operations: s.Operations[:0],
	}
	return nfsLines(file, text, func(key string, values []byte) (known, whole bool) {
		switch key {
		case "rc":
			return true, nfsNumbers(values, &s.CacheHits, &s.CacheMisses, &s.CacheUnused)
		case "fh":
			return true, nfsNumbers(values, &s.StaleHandles)
		case "io":
			return true, nfsNumbers(values, &s.ReadBytes, &s.WrittenBytes)
		case "th":
			return true, nfsNumbers(values, &s.Threads)
		case "net":
			return true, nfsNumbers(values, nil, &s.Traffic.UDP, &s.Traffic.TCP, &s.Traffic.TCPConnections)
		case "rpc":
			return true, nfsNumbers(values, &s.Calls, nil, &s.BadFormat, &s.BadAuth, &s.BadClient)
		case "proc2":
			s.Procedures, whole = nfsCalls(s.Procedures, values, 2, nfs2Procedures)
		case "proc3":
			s.Procedures, whole = nfsCalls(s.Procedures, values, 3, nfs3Procedures)
		case "proc4":
			s.Procedures, whole = nfsCalls(s.Procedures, values, 4, nfs4Procedures)
		case "proc4ops":
			s.Operations, whole = nfsCalls(s.Operations, values, 4, nfs4Operations)
		default:
			return false, true
		}
		return true, whole
	})
}
