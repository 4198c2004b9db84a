package host

import (
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const powercapDir = "sys/class/powercap"

// energyMemory is what is known of the zones of RAPL.
type energyMemory struct {
	files sysfsReader
	age   int // reads since they were looked for
	zones []energyZone
}

// energyZone is one zone over the reads. What the kernel gives wraps within minutes to hours; between two reads it does so once at most, unless they are
// very far apart.
type energyZone struct {
	sample EnergyZone
	entry  string // in powercap: intel-rapl:0:1
	input  sysfsFile
	wrapAt int64 // µJ
	last   int64 // µJ, as the kernel gave it; -1 before the first read
	total  int64 // µJ since then
}

// Read gives the zones that this process may read, by their order in powercap: since Linux 5.10 only root may. ErrUnsupported where there is none.
// The slice is valid until the next Read.
func (e *EnergyZones) Read() ([]EnergyZone, error) {
	if e.age%rediscoverAfter == 0 {
		e.discover()
	}
	e.age++
	e.samples = e.samples[:0]
	for i := range e.zones {
		if z := &e.zones[i]; e.read(z) {
			e.samples = append(e.samples, z.sample)
		}
	}
	if len(e.samples) == 0 {
		return nil, ErrUnsupported
	}
	return e.samples, nil
}

// Close closes the files that are kept open. Read must not be called afterwards.
func (e *EnergyZones) Close() error {
	for i := range e.zones {
		e.files.close(&e.zones[i].input)
	}
	return nil
}

func (e *EnergyZones) read(z *energyZone) bool {
	text, err := e.files.read(&z.input)
	if err != nil {
		return false
	}
	now, ok := proctext.Int(text)
	if !ok {
		return false
	}
	z.total += grownEnergy(z.last, now, z.wrapAt)
	z.last = now
	z.sample.Joules = float64(z.total) / 1e6
	return true
}

// grownEnergy is by how much a counter has grown from one value to the next, which it may have reached over wrapAt. A negative one before is none.
func grownEnergy(before, now, wrapAt int64) int64 {
	switch {
	case before < 0:
		return 0
	case now >= before:
		return now - before
	case wrapAt > before:
		return wrapAt - before + now
	}
	return 0 // It can't have come that way: it began again.
}

// discover adds the zones that were not there before, and takes away those that have gone. Of two drivers for the same zones the one that all processors
// have is read.
func (e *EnergyZones) discover() {
	if e.files.budget == nil {
		e.files = newSysfsReader(e.host.dir)
	}
	before := e.zones
	e.zones = nil
	ids := make(map[string]string) // by entry
	unique := make(uniqueIDs)
	for _, entry := range e.host.dir.ReadDir(e.host.Path(powercapDir)) {
		number, ok := strings.CutPrefix(entry, "intel-rapl:")
		if !ok {
			continue
		}
		dir := e.host.Path(powercapDir + "/" + entry)
		z := energyZone{entry: entry, input: sysfsFile{path: dir + "/energy_uj"}, last: absent}
		z.sample.Name = word(e.host.dir, dir+"/name")
		if z.sample.Name == "" {
			z.sample.Name = entry
		}
		parent := "powercap"
		if i := strings.LastIndexByte(number, ':'); i >= 0 {
			z.sample.Parent = ids["intel-rapl:"+number[:i]]
			if z.sample.Parent != "" {
				parent = z.sample.Parent
			}
		}
		z.sample.ID = unique.of(parent + "/" + z.sample.Name)
		ids[entry] = z.sample.ID
		z.sample.Memory, z.sample.Whole = z.sample.Name == "dram", strings.HasPrefix(z.sample.Name, "psys")
		z.wrapAt = e.host.numberAt(powercapDir + "/" + entry + "/max_energy_range_uj")
		e.zones = append(e.zones, z)
	}
	for i := range before {
		if !e.keep(&before[i]) {
			e.files.close(&before[i].input)
		}
	}
}

// keep lets a zone that is still there go on from where it was.
func (e *EnergyZones) keep(before *energyZone) bool {
	for i := range e.zones {
		if z := &e.zones[i]; z.entry == before.entry && z.sample.ID == before.sample.ID {
			*z = *before
			return true
		}
	}
	return false
}
