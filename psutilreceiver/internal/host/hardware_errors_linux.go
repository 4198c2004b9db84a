package host

import (
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	edacDir = "sys/devices/system/edac/mc"
	pciDir  = "sys/bus/pci/devices"
)

// hardwareErrorFiles are the files that were found, which are kept open.
type hardwareErrorFiles struct {
	files sysfsReader
	found bool
	age   int // reads since they were found

	components    []errorComponent
	machineChecks [1]ErrorCount
	text          [aerFileSize]byte
}

// aerFileSize is more than a file of AER errors by kind has: two dozen lines.
const aerFileSize = 1024

// errorComponent is a component with the files of its counts.
type errorComponent struct {
	id, name string
	kind     ComponentKind
	identity uint64
	counts   []errorFile
	sample   []ErrorCount
}

type errorFile struct {
	sysfsFile
	kind  string
	table bool // lines of which one has the total, rather than a number alone
}

// Read gives the components that have counts, by ID. One that has gone makes the next read look for the components again, and so does each
// sixtieth: hardware seldom comes or goes. The slice is valid until the next Read.
func (e *HardwareErrors) Read() ([]ComponentErrors, error) {
	if !e.found || e.age >= rediscoverAfter {
		e.discover()
	}
	e.age++
	e.samples = e.samples[:0]
	var failed error
	for i := range e.components {
		c := &e.components[i]
		gone := true
		for j := range c.counts {
			count, err := e.count(&c.counts[j])
			c.sample[j].Count = count
			gone = gone && count == absent && err == nil
			failed = cmpError(failed, err)
		}
		if gone {
			e.age = rediscoverAfter
			continue
		}
		e.samples = append(e.samples, ComponentErrors{ID: c.id, Name: c.name, Kind: c.kind, Identity: c.identity, Errors: c.sample})
	}
	if e.sources.MachineChecks {
		if err := e.readMachineChecks(); !errors.Is(err, ErrUnsupported) {
			failed = cmpError(failed, err)
		}
	}
	if len(e.samples) == 0 && failed == nil {
		return nil, ErrUnsupported
	}
	return e.samples, failed
}

// Close closes the files that are kept open. Read must not be called afterwards.
func (e *HardwareErrors) Close() error {
	for i := range e.components {
		for j := range e.components[i].counts {
			e.files.close(&e.components[i].counts[j].sysfsFile)
		}
	}
	e.components = nil
	return nil
}

// cmpError keeps the first of the errors that say that the scrape is incomplete, and else the first of all: one is enough to count and to log.
func cmpError(first, next error) error {
	if first == nil || next != nil && IsOdd(first) && !IsOdd(next) {
		return next
	}
	return first
}

// count reads one count. A file that has gone is no fault: its driver has been unloaded, or its device taken out.
func (e *HardwareErrors) count(f *errorFile) (int64, error) {
	text, err := e.files.readInto(&f.sysfsFile, e.text[:])
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return absent, nil
	}
	if err != nil {
		return absent, &fs.PathError{Op: "read", Path: f.path, Err: err}
	}
	parse := proctext.Int
	if f.table {
		parse = parseAERTotal
	}
	v, ok := parse(text)
	if !ok {
		return Odd, oddText(strings.TrimPrefix(f.path, "/"), text)
	}
	return v, nil
}

func (e *HardwareErrors) readMachineChecks() error {
	text, err := e.host.read(interruptsFile)
	if err != nil {
		return optional(err)
	}
	total, err := parseMachineChecks(text)
	if total != absent {
		e.machineChecks[0] = ErrorCount{Type: "machine_check", Count: total}
		e.samples = append(e.samples, ComponentErrors{ID: "cpu", Name: "cpu", Kind: ComponentCPU, Errors: e.machineChecks[:]})
	}
	return err
}

func (e *HardwareErrors) discover() {
	_ = e.Close()
	if e.files.budget == nil {
		e.files = newSysfsReader(e.host.dir)
	}
	e.found, e.age = true, 0
	for _, controller := range e.host.dir.ReadDir(e.host.Path(edacDir)) {
		if number, ok := strings.CutPrefix(controller, "mc"); ok && isOrdinal(number) {
			e.addController(controller)
		}
	}
	if e.sources.PCI {
		for _, address := range e.host.dir.ReadDir(e.host.Path(pciDir)) {
			e.addDevice(address)
		}
	}
}

// addController adds a memory controller, or its modules, and under the controller's name what it could not say of which module it is.
func (e *HardwareErrors) addController(controller string) {
	dir := edacDir + "/" + controller
	found := controllerErrors
	if e.sources.DIMMs {
		for _, module := range e.host.dir.ReadDir(e.host.Path(dir)) {
			if isModule(module) {
				e.add(ComponentMemory, "edac/"+controller+"/"+module, e.moduleName(controller, module), dir+"/"+module, moduleErrors)
				found = unplacedErrors
			}
		}
	}
	e.add(ComponentMemory, "edac/"+controller, controller, dir, found)
}

// isModule tells whether an entry of a controller is a memory module. Where the kernel can't tell modules, it has ranks in their place.
func isModule(entry string) bool {
	for _, kind := range [...]string{"dimm", "rank"} {
		if number, ok := strings.CutPrefix(entry, kind); ok && isOrdinal(number) {
			return true
		}
	}
	return false
}

// moduleName is the label that the board's maker or an administrator gave a module, or else its place.
func (e *HardwareErrors) moduleName(controller, module string) string {
	if label := word(e.host.dir, e.host.Path(edacDir+"/"+controller+"/"+module+"/dimm_label")); label != "" {
		return label
	}
	return controller + " " + module
}

func (e *HardwareErrors) addDevice(address string) {
	e.add(ComponentPCI, "pci/"+address, address, pciDir+"/"+address, deviceErrors)
}

// countFile says in which file of a component the errors of a type are.
type countFile struct {
	name, kind string
	table      bool
}

// The files of each kind of component.
var (
	controllerErrors = []countFile{{name: "ce_count", kind: "corrected"}, {name: "ue_count", kind: "uncorrected"}}
	unplacedErrors   = []countFile{{name: "ce_noinfo_count", kind: "corrected"}, {name: "ue_noinfo_count", kind: "uncorrected"}}
	moduleErrors     = []countFile{{name: "dimm_ce_count", kind: "corrected"}, {name: "dimm_ue_count", kind: "uncorrected"}}
	deviceErrors     = []countFile{
		{name: "aer_dev_correctable", kind: "correctable", table: true},
		{name: "aer_dev_nonfatal", kind: "nonfatal", table: true},
		{name: "aer_dev_fatal", kind: "fatal", table: true},
	}
)

// add adds a component that has one of the files. It has all of them, but for odd kernels.
func (e *HardwareErrors) add(kind ComponentKind, id, name, dir string, files []countFile) {
	c := errorComponent{id: id, name: name, kind: kind}
	exists := false
	for _, f := range files {
		path := dir + "/" + f.name
		exists = exists || e.host.exists(path)
		c.counts = append(c.counts, errorFile{sysfsFile: sysfsFile{path: e.host.Path(path)}, kind: f.kind, table: f.table})
		c.sample = append(c.sample, ErrorCount{Type: f.kind})
	}
	if !exists {
		return
	}
	c.identity = e.host.inode(e.host.Path(dir))
	e.components = append(e.components, c)
}
