package host

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const zfsDir = "proc/spl/kstat/zfs"

// ZFSPools reads the pools of ZFS. It is not safe for concurrent use.
type ZFSPools struct {
	host  *Host
	dir   watchedDirectory
	files []zfsPoolFiles
	pools []ZFSPool
	buf   []byte
}

// zfsPoolFiles are the files of one pool, as this process opens them.
type zfsPoolFiles struct {
	name, state, io string
	datasets        watchedDirectory
	objsets         []string
	listed          []ZFSDataset
}

// NewZFSPools returns a reader of the pools of a host.
func NewZFSPools(h *Host) *ZFSPools {
	return &ZFSPools{host: h, dir: watchedDirectory{path: h.Path(zfsDir)}}
}

// Read gives the pools, from /proc/spl/kstat/zfs/<pool>, with their datasets if they are wanted. What could not be read of one is an error beside the
// rest. ErrUnsupported without ZFS. The slice is valid until the next Read.
func (z *ZFSPools) Read(datasets bool) ([]ZFSPool, error) {
	if z.dir.isDue(z.host) {
		z.list()
	}
	if !z.dir.there {
		return nil, ErrUnsupported
	}
	z.pools = z.pools[:0]
	var failed error
	for i := range z.files {
		f := &z.files[i]
		pool := ZFSPool{Name: f.name, IO: noZFSIO}
		err := z.readState(f, &pool)
		if errors.Is(err, fs.ErrNotExist) {
			if !z.host.dir.Exists(f.datasets.path) {
				z.dir.forget() // It was exported.
				continue
			}
			err = nil // ZFS before 0.8.
		}
		failed = cmp.Or(failed, err, z.readIO(f, &pool))
		if datasets {
			failed = cmp.Or(failed, z.readDatasets(f))
			pool.Datasets = f.listed
		}
		z.pools = append(z.pools, pool)
	}
	return z.pools, failed
}

// list finds the pools again: each is a directory beside the files of the whole of ZFS.
func (z *ZFSPools) list() {
	z.files = z.files[:0]
	for _, name := range z.host.dir.ReadDir(z.dir.path) {
		dir := z.dir.path + "/" + name
		if st, err := z.host.dir.Stat(dir); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
			continue
		}
		z.files = append(z.files, zfsPoolFiles{
			name: name, state: dir + "/state", io: dir + "/io", datasets: watchedDirectory{path: dir},
		})
	}
}

func (z *ZFSPools) read(path string) ([]byte, error) {
	var err error
	z.buf, err = readFile(z.host.dir, path, z.buf, maxFileSize)
	return z.buf, err
}

// relative is a path as it is below the root, for errors.
func (z *ZFSPools) relative(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, z.host.root), "/")
}

func (z *ZFSPools) readState(f *zfsPoolFiles, pool *ZFSPool) error {
	text, err := z.read(f.state)
	if err != nil {
		return err
	}
	word, _ := proctext.Field(text)
	if pool.State, pool.StateKnown = zfsStates[string(word)]; !pool.StateKnown {
		return oddText(z.relative(f.state), bytes.TrimSpace(text))
	}
	return nil
}

func (z *ZFSPools) readIO(f *zfsPoolFiles, pool *ZFSPool) error {
	text, err := z.read(f.io)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pool.IO, err = parsePoolIO(z.relative(f.io), text)
	return err
}

// readDatasets reads the files objset-0x… of a pool. They are listed again every few reads: datasets come with a mount, and go.
func (z *ZFSPools) readDatasets(f *zfsPoolFiles) error {
	if f.datasets.isDue(z.host) || f.datasets.age >= relistDatasetsAfter {
		f.datasets.age = 0
		f.objsets = f.objsets[:0]
		for _, name := range z.host.dir.ReadDir(f.datasets.path) {
			if strings.HasPrefix(name, "objset-") {
				f.objsets = append(f.objsets, f.datasets.path+"/"+name)
			}
		}
	}
	f.listed = f.listed[:0]
	var failed error
	for _, path := range f.objsets {
		text, err := z.read(path)
		if errors.Is(err, fs.ErrNotExist) {
			f.datasets.forget()
			continue
		}
		if err == nil {
			var d ZFSDataset
			if d, err = parseObjset(z.relative(path), text, &z.host.names); d.Name != "" {
				f.listed = append(f.listed, d)
			}
		}
		failed = cmp.Or(failed, err)
	}
	return failed
}

// relistDatasetsAfter is the number of reads after which the datasets of a pool are listed again.
const relistDatasetsAfter = 4
