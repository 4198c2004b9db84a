package host

import (
	"bytes"
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// ComponentKind is what a hardware component is.
type ComponentKind uint8

// The components that report errors.
const (
	ComponentMemory ComponentKind = iota // a memory controller, or a module
	ComponentPCI                         // a device or a port of PCI Express
	ComponentCPU                         // all CPUs together
)

// ComponentErrors is what one component has reported of errors since the kernel found it.
type ComponentErrors struct {
	// ID names the component, as edac/mc0 or pci/0000:03:00.0: unique on the host.
	ID   string
	Name string
	Kind ComponentKind
	// Identity changes when another component takes the ID; 0 where that can't be.
	Identity uint64
	Errors   []ErrorCount
}

// ErrorCount is how many errors of a type there were. Count is -1 where the kernel does not report it, Odd where it could not be read.
type ErrorCount struct {
	Type  string
	Count int64
}

// ErrorSources says which errors are read beside those of memory controllers.
type ErrorSources struct {
	DIMMs         bool // those of each memory module in place of those of its controller
	PCI           bool // those of each device of PCI Express that has Advanced Error Reporting: three files a device
	MachineChecks bool // those that CPUs raise exceptions for: /proc/interrupts, which is long on large hosts
}

// HardwareErrors reads the errors that the hardware of a host has reported to the kernel.
type HardwareErrors struct {
	host    *Host
	sources ErrorSources
	samples []ComponentErrors
	hardwareErrorFiles
}

// NewHardwareErrors returns a reader of the errors of memory controllers, and of the sources that are given.
func NewHardwareErrors(h *Host, sources ErrorSources) *HardwareErrors {
	return &HardwareErrors{host: h, sources: sources}
}

// machineCheckLine begins the line with the machine check exceptions that each CPU has raised. MCP, beside it, counts how often the kernel polled for
// errors, whether there were any or not.
const machineCheckLine = "MCE:"

// parseMachineChecks adds up the columns of the line MCE of /proc/interrupts: one number a CPU, and then words. A host without such a line gives -1.
func parseMachineChecks(text []byte) (total int64, err error) {
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		key, columns := proctext.Field(l)
		if string(key) != machineCheckLine {
			continue
		}
		count := 0
		for {
			var f []byte
			if f, columns = proctext.Field(columns); len(f) == 0 {
				break
			}
			v, ok := proctext.Int(f)
			if !ok {
				break
			}
			if total += v; total < 0 {
				return Odd, oddText(interruptsFile, l)
			}
			count++
		}
		if count == 0 {
			return Odd, oddText(interruptsFile, l)
		}
		return total, nil
	}
	if !bytes.Contains(text, []byte(":")) {
		return Odd, oddText(interruptsFile, text)
	}
	return absent, nil
}

// parseAERTotal gives the number of the line that begins with TOTAL_ERR_ in one of the files aer_dev_correctable, aer_dev_nonfatal and aer_dev_fatal of a
// PCI Express device: the lines before it have the same errors by kind.
func parseAERTotal(text []byte) (int64, bool) {
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		key, value := proctext.Field(l)
		if !bytes.HasPrefix(key, []byte("TOTAL_ERR_")) {
			continue
		}
		number, _ := proctext.Field(value)
		v, ok := proctext.Int(number)
		return v, ok && v < math.MaxInt64
	}
	return 0, false
}
