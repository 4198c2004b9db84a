package containerstate

import (
	"io"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

const (
	maxFile     = 4 << 20  // config.json has the whole specification of a container
	maxStorage  = 16 << 20 // containers.json has all of them
	maxAttempts = 5        // a container that has no files by then has none
	maxKnown    = 10_000
	lifetime    = 10 * time.Minute // of what is known of a container that nobody asks for
)

// Reader reads the files of one host. It is not safe for concurrent use.
type Reader struct {
	root  rootfs.Root
	now   time.Time
	known map[string]*entry

	tasks   []string // directories of containerd, by namespace
	storage map[string]Container
	logs    map[string]Container
	listed  bool // in this scan
}

type entry struct {
	Container
	asked time.Time
	tried time.Time
}

// NewReader returns a reader of the host whose / is root.
func NewReader(root string) *Reader {
	return &Reader{root: rootfs.At(root), known: make(map[string]*entry)}
}

// Begin starts a scan. What was found before and is not complete is looked for again.
func (r *Reader) Begin(now time.Time) {
	r.now, r.listed = now, false
	r.tasks, r.storage, r.logs = nil, nil, nil
	for id, e := range r.known {
		if now.Sub(e.asked) > lifetime {
			delete(r.known, id)
		}
	}
}

// Container returns what is known of the container with an identifier. It is looked for once a scan, a few times.
func (r *Reader) Container(id string) Container {
	e := r.known[id]
	if e == nil {
		e = new(entry)
		if len(r.known) < maxKnown {
			r.known[id] = e
		}
	}
	e.asked = r.now
	if !e.Complete && !e.tried.Equal(r.now) {
		e.tried = r.now
		r.find(id, &e.Container)
	}
	return e.Container
}

// find looks for a container. One whose identifier could lead elsewhere is not looked for.
func (r *Reader) find(id string, c *Container) {
	c.attempts++
	c.Complete = c.attempts >= maxAttempts
	for i := range len(id) {
		if b := id[i]; b-'0' > 9 && b-'a' > 25 && b != '-' {
			c.Complete = true
			return
		}
	}
	if !r.listed {
		r.list()
	}
	if text := r.read("var/lib/docker/containers/"+id+"/config.v2.json", maxFile); text != nil {
		if found, ok := parseDocker(text); ok {
			c.take(found)
		}
	}
	for _, dir := range r.tasks {
		r.readSpec(dir+"/"+id+"/config.json", "containerd", c)
	}
	r.readSpec("run/containers/storage/overlay-containers/"+id+"/userdata/config.json", "", c)
	c.take(r.storage[id])
	c.take(r.logs[id])
	c.Complete = c.Complete || c.Name != "" && c.Image != ""
}

func (r *Reader) readSpec(path, runtime string, c *Container) {
	if text := r.read(path, maxFile); text != nil {
		if found, ok := parseSpec(text, runtime); ok {
			c.take(found)
		}
	}
}

// list reads what there is of all containers.
func (r *Reader) list() {
	r.listed = true
	const tasks = "run/containerd/io.containerd.runtime.v2.task"
	for _, namespace := range r.root.ReadDir(r.root.Join(tasks)) {
		r.tasks = append(r.tasks, tasks+"/"+namespace)
	}
	if text := r.read("var/lib/containers/storage/overlay-containers/containers.json", maxStorage); text != nil {
		r.storage = parseStorage(text)
	}
	r.logs = make(map[string]Container)
	for _, name := range r.root.ReadDir(r.root.Join("var/log/containers")) {
		if id, c, ok := parseLogName(name); ok {
			r.logs[id] = c
		}
	}
}

// read returns the text of a file of at most limit bytes, nil where there is none that this user may read.
func (r *Reader) read(path string, limit int64) []byte {
	f, err := r.root.Open(r.root.Join(path), limit)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil
	}
	return text
}
