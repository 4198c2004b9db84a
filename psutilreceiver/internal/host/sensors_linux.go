package host

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

const (
	hwmonDir       = "sys/class/hwmon"
	thermalDir     = "sys/class/thermal"
	powerSupplyDir = "sys/class/power_supply"
)

// sensors are the sensor files that were found, and the samples, which are reused.
type sensors struct {
	root  rootfs.Root
	found bool
	age   int // scrapes since they were found

	temperatureFiles []temperatureFile
	fanFiles         []fanFile
	batteryFiles     []batteryFile

	temperatures []Temperature
	fans         []Fan
	batteries    []Battery
	buf          []byte
}

type temperatureFile struct {
	id, name, location string
	input              string // path of the reading, in 1/1000 °C
	fault              string // path of the file that says that the sensor is broken; empty if there is none
	mode               string // path of the file that says whether a thermal zone is disabled; empty if there is none

	max, critical, min, lowCritical string // paths of the limits; empty for those that do not exist
}

type fanFile struct{ id, name, location, input, fault string }

type batteryFile struct {
	id, name, uevent string
	kind, scope      string // where uevent does not have them
	capacity         string // path of the percentage; empty if there is none
}

// Temperatures gives the sensors that have a reading, by ID: those below /sys/class/hwmon, and those of /sys/class/thermal that are not among
// them. The limits are read only when requested. A sensor that has no reading just now, as of a device that sleeps, or that is broken, is
// left out. ErrUnsupported on hosts without sensors. The sample is valid until the next scrape.
func (h *Host) Temperatures(limits bool) ([]Temperature, error) {
	s := h.discoverSensors()
	if len(s.temperatureFiles) == 0 {
		return nil, ErrUnsupported
	}
	s.temperatures = s.temperatures[:0]
	for _, f := range s.temperatureFiles {
		celsius, ok := s.celsius(f.input)
		if !ok || s.isBroken(f.fault) || s.isDisabled(f.mode) {
			continue
		}
		t := Temperature{ID: f.id, Name: f.name, Location: f.location, Celsius: celsius, Limits: noLimits}
		if limits {
			s.limit(&t.Limits.Max, f.max)
			s.limit(&t.Limits.Critical, f.critical)
			s.limit(&t.Limits.Min, f.min)
			s.limit(&t.Limits.LowCritical, f.lowCritical)
		}
		s.temperatures = append(s.temperatures, t)
	}
	return s.temperatures, nil
}

// Fans gives the fans that have a reading, by ID, from /sys/class/hwmon. Otherwise as Temperatures.
func (h *Host) Fans() ([]Fan, error) {
	s := h.discoverSensors()
	if len(s.fanFiles) == 0 {
		return nil, ErrUnsupported
	}
	s.fans = s.fans[:0]
	for _, f := range s.fanFiles {
		if rpm, ok := s.number(f.input); ok && rpm >= 0 && rpm < noSpeed && !s.isBroken(f.fault) {
			s.fans = append(s.fans, Fan{ID: f.id, Name: f.name, Location: f.location, RPM: rpm})
		}
	}
	return s.fans, nil
}

// Batteries gives the host's batteries, by ID, from the uevent files below /sys/class/power_supply, which hold all properties of
// one. ErrUnsupported on hosts without. The sample is valid until the next scrape.
func (h *Host) Batteries() ([]Battery, error) {
	s := h.discoverSensors()
	if len(s.batteryFiles) == 0 {
		return nil, ErrUnsupported
	}
	s.batteries = s.batteries[:0]
	for _, f := range s.batteryFiles {
		text, ok := s.read(f.uevent)
		if !ok {
			continue
		}
		p := parsePowerSupply(text)
		if p.kind == "" {
			p.kind = f.kind
		}
		if p.scope == "" {
			p.scope = f.scope
		}
		if f.capacity != "" && p.needsCapacity() {
			if percent, ok := s.number(f.capacity); ok {
				p.capacity = percent
			}
		}
		if p.isBattery() {
			s.batteries = append(s.batteries, p.battery(f.id, f.name))
		}
	}
	return s.batteries, nil
}

// read gives the content of a sensor's file. Errors are not reported: sensors of devices that sleep, are switched off or have
// no reading yet answer with one (EAGAIN, ENODATA, EIO, EPERM and more), each driver in its own way. A file that has gone makes
// the next scrape look for the sensors again.
func (s *sensors) read(path string) ([]byte, bool) {
	var err error
	if s.buf, err = readFile(s.root, path, s.buf, maxFileSize); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			s.age = rediscoverAfter - 1
		}
		return nil, false
	}
	return s.buf, true
}

func (s *sensors) number(path string) (int64, bool) {
	text, ok := s.read(path)
	if !ok {
		return 0, false
	}
	return parseReading(text)
}

// isBroken reads the file that tells so, if there is one.
func (s *sensors) isBroken(path string) bool {
	if path == "" {
		return false
	}
	n, ok := s.number(path)
	return ok && n != 0
}

// isDisabled reads the mode of a thermal zone, if it has one. The kernel does not look at a zone that is disabled: what it gives may be old.
func (s *sensors) isDisabled(path string) bool {
	if path == "" {
		return false
	}
	text, ok := s.read(path)
	return ok && string(bytes.TrimSpace(text)) == "disabled"
}

func (s *sensors) celsius(path string) (float64, bool) {
	n, ok := s.number(path)
	c := float64(n) / 1000
	return c, ok && plausible(c)
}

func (s *sensors) limit(dst *float64, path string) {
	if path == "" {
		return
	}
	if c, ok := s.celsius(path); ok {
		*dst = c
	}
}

// parseReading reads a file that holds one whole number, which may be negative.
func parseReading(text []byte) (int64, bool) {
	f, _ := proctext.Field(text)
	if len(f) > 0 && f[0] == '-' {
		v, ok := proctext.Int(f[1:])
		return -v, ok
	}
	return proctext.Int(f)
}

// discoverSensors finds the sensors when it was not done yet or long ago.
func (h *Host) discoverSensors() *sensors {
	s := &h.sensors
	if s.found && s.age < rediscoverAfter {
		return s
	}
	s.found, s.age = true, 0
	s.temperatureFiles, s.fanFiles, s.batteryFiles = nil, nil, nil
	ids := make(uniqueIDs)
	chips := findChips(s.root, h.Path(hwmonDir))
	for _, c := range chips {
		s.addChip(c, ids)
	}
	s.addThermalZones(h.Path(thermalDir), chips, ids)
	s.addBatteries(h.Path(powerSupplyDir))
	s.sort()
	return s
}

// word reads a file that holds a name.
func word(root rootfs.Root, path string) string {
	text, err := readFile(root, path, nil, maxFileSize)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
