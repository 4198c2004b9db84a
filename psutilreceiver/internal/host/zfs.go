package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// ZFSPoolState is what a pool can do.
type ZFSPoolState int

// The states of pools. The kernel writes them in capitals.
const (
	ZFSOnline    ZFSPoolState = iota
	ZFSDegraded               // lacks devices, and has its data
	ZFSFaulted                // can't be used
	ZFSOffline                // taken offline by hand
	ZFSRemoved                // its device was removed
	ZFSUnavail                // its devices can't be opened
	ZFSSuspended              // I/O failed, and waits until an operator clears it
)

// zfsStates are the states by name.
var zfsStates = map[string]ZFSPoolState{
	"ONLINE": ZFSOnline, "DEGRADED": ZFSDegraded, "FAULTED": ZFSFaulted, "OFFLINE": ZFSOffline, "REMOVED": ZFSRemoved, "UNAVAIL": ZFSUnavail,
	"SUSPENDED": ZFSSuspended,
}

// ZFSIO is what was read and written since the pool was imported, or the dataset mounted. A number is -1 where the kernel does not report it, Odd where
// it could not be read.
type ZFSIO struct{ ReadBytes, WrittenBytes, Reads, Writes int64 }

var noZFSIO = ZFSIO{ReadBytes: absent, WrittenBytes: absent, Reads: absent, Writes: absent}

// ZFSPool is one pool.
type ZFSPool struct {
	Name  string
	State ZFSPoolState // of no meaning unless StateKnown
	// StateKnown: the kernel says the state, since ZFS 0.8, and it is one of those above.
	StateKnown bool
	IO         ZFSIO // ZFS before 2.1
	Datasets   []ZFSDataset
}

// ZFSDataset is a filesystem or a volume of a pool.
type ZFSDataset struct {
	Name string
	IO   ZFSIO
}

// ZFSRequests are requests to the cache of one kind. A number is -1 where the kernel does not report it, Odd where it could not be read.
type ZFSRequests struct {
	Hits   int64
	IOHits int64 // of what was already being read, since ZFS 2.2
	Misses int64
}

// ZFSARC is the adaptive replacement cache, in bytes. A number is -1 where the kernel does not report it, Odd where it could not be read.
type ZFSARC struct {
	Size, Target, Min, Max                                     int64
	DemandData, DemandMetadata, PrefetchData, PrefetchMetadata ZFSRequests
}

var (
	noZFSRequests = ZFSRequests{Hits: absent, IOHits: absent, Misses: absent}
	noZFSARC      = ZFSARC{
		Size: absent, Target: absent, Min: absent, Max: absent,
		DemandData: noZFSRequests, DemandMetadata: noZFSRequests, PrefetchData: noZFSRequests, PrefetchMetadata: noZFSRequests,
	}
)

const zfsARCFile = "proc/spl/kstat/zfs/arcstats"

// ZFSARC gives the cache of ZFS, from /proc/spl/kstat/zfs/arcstats. ErrUnsupported without ZFS, and on other systems.
func (h *Host) ZFSARC() (ZFSARC, error) {
	text, err := h.read(zfsARCFile)
	if err != nil {
		return noZFSARC, optional(err)
	}
	return parseARC(text)
}

func (a *ZFSARC) fieldOf(key []byte) *int64 {
	switch string(key) {
	case "size":
		return &a.Size
	case "c":
		return &a.Target
	case "c_min":
		return &a.Min
	case "c_max":
		return &a.Max
	}
	for _, kind := range [...]struct {
		name     string
		requests *ZFSRequests
	}{
		{"demand_data_", &a.DemandData},
		{"demand_metadata_", &a.DemandMetadata},
		{"prefetch_data_", &a.PrefetchData},
		{"prefetch_metadata_", &a.PrefetchMetadata},
	} {
		if what, ok := bytes.CutPrefix(key, []byte(kind.name)); ok {
			switch string(what) {
			case "hits":
				return &kind.requests.Hits
			case "iohits":
				return &kind.requests.IOHits
			case "misses":
				return &kind.requests.Misses
			}
		}
	}
	return nil
}

// parseARC reads lines such as: size 4 1603939792.
func parseARC(text []byte) (ZFSARC, error) {
	a := noZFSARC
	odd := oddValues{file: zfsARCFile}
	kstatNumbers(text, a.fieldOf, &odd)
	if a.Size == absent {
		return a, malformed(zfsARCFile, text)
	}
	return a, odd.err
}

// kstatNumbers reads the lines of a kstat of the named type: name, type, value. A value that can't be is Odd.
func kstatNumbers(text []byte, fieldOf func(key []byte) *int64, odd *oddValues) {
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		key, rest := proctext.Field(l)
		dst := fieldOf(key)
		if dst == nil {
			continue
		}
		_, rest = proctext.Field(rest)
		number, _ := proctext.Field(rest)
		v, ok := proctext.Int(number)
		if !ok {
			odd.add(l)
			v = Odd
		}
		*dst = v
	}
}

// parsePoolIO reads a kstat of the type I/O: a header, the names of the columns, the values.
func parsePoolIO(file string, text []byte) (ZFSIO, error) {
	io := noZFSIO
	_, rest := proctext.Line(text)
	columns, rest := proctext.Line(rest)
	values, _ := proctext.Line(rest)
	odd := oddValues{file: file}
	for {
		var name, number []byte
		if name, columns = proctext.Field(columns); len(name) == 0 {
			break
		}
		number, values = proctext.Field(values)
		dst := io.fieldOf(name)
		if dst == nil || *dst != absent {
			continue
		}
		v, ok := proctext.Int(number)
		if !ok {
			odd.add(values)
			v = Odd
		}
		*dst = v
	}
	if io == noZFSIO {
		return io, malformed(file, text)
	}
	return io, odd.err
}

func (io *ZFSIO) fieldOf(key []byte) *int64 {
	switch string(key) {
	case "nread":
		return &io.ReadBytes
	case "nwritten":
		return &io.WrittenBytes
	case "reads":
		return &io.Reads
	case "writes":
		return &io.Writes
	}
	return nil
}

// parseObjset reads the kstat of a dataset: its name, which may have blanks in it, and numbers.
func parseObjset(file string, text []byte, known *names) (ZFSDataset, error) {
	d := ZFSDataset{IO: noZFSIO}
	odd := oddValues{file: file}
	kstatNumbers(text, d.IO.fieldOf, &odd)
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		if key, value := proctext.Field(l); string(key) == "dataset_name" {
			_, value = proctext.Field(value)
			d.Name = known.of(bytes.TrimSpace(value))
		}
	}
	if d.Name == "" {
		return d, malformed(file, text)
	}
	return d, odd.err
}
