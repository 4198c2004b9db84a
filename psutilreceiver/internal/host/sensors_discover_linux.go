package host

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// chip is one hwmon device: a driver's instance with its sensors.
type chip struct {
	id    string // place of the device and name of the driver
	name  string // name of the driver
	dir   string
	files []string
}

// findChips lists the hwmon devices. Their own names, hwmon0 and so on, follow the order in which drivers were loaded and change from
// boot to boot; the device that the class entry links to does not.
func findChips(root rootfs.Root, class string) []chip {
	var chips []chip
	for _, entry := range root.ReadDir(class) {
		c := chip{dir: class + "/" + entry}
		c.name = word(root, c.dir+"/name")
		if c.name == "" {
			c.name = word(root, c.dir+"/device/name")
		}
		if c.name == "" {
			c.name = "hwmon"
		}
		c.files = root.ReadDir(c.dir)
		if !slices.ContainsFunc(c.files, isInput) {
			// Some old drivers put the sensors into the device itself.
			c.dir += "/device"
			c.files = root.ReadDir(c.dir)
		}
		target := root.Readlink(class + "/" + entry)
		c.id = deviceOf(target) + "/" + c.name
		chips = append(chips, c)
	}
	return chips
}

// deviceOf cuts the place of a device from the link of its hwmon: of ../../devices/platform/coretemp.0/hwmon/hwmon2 it leaves
// platform/coretemp.0. Parts that are numbered as they are found, such as nvme/nvme0, are left out; what comes before
// distinguishes them.
func deviceOf(link string) string {
	_, device, ok := strings.Cut(link, "devices/")
	if !ok {
		return "hwmon"
	}
	device = strings.TrimSuffix(path.Dir(device), "/hwmon")
	if strings.HasPrefix(device, "virtual/") {
		return "virtual"
	}
	above, last := path.Split(device)
	above = strings.TrimSuffix(above, "/")
	class := path.Base(above)
	if number, ok := strings.CutPrefix(last, class); ok && isOrdinal(number) {
		return path.Dir(above)
	}
	return device
}

func isOrdinal(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}

// isInput tells whether a file of a chip is the reading of a sensor.
func isInput(file string) bool {
	_, _, ok := inputOf(file)
	return ok
}

// kindNames are the names of the kinds of sensors in hwmon.
var kindNames = [sensorKinds]string{
	SensorTemperature: "temp", SensorFan: "fan", SensorVoltage: "in", SensorCurrent: "curr", SensorPower: "power", SensorEnergy: "energy",
}

// inputOf splits the name of a reading, as temp2_input, into its sensor, temp2, and the kind, temp. Of a power it may be an average. It reports false for
// other files.
func inputOf(file string) (sensor string, kind SensorKind, ok bool) {
	if sensor, ok = strings.CutSuffix(file, "_input"); ok {
		kind, ok = kindOf(sensor)
		return sensor, kind, ok
	}
	sensor, ok = strings.CutSuffix(file, powerAverage)
	if !ok {
		return "", 0, false
	}
	kind, ok = kindOf(sensor)
	return sensor, kind, ok && kind == SensorPower
}

// powerAverage ends the name of a power that a chip gives over a while.
const powerAverage = "_average"

// kindOf is the kind of a sensor, as temp of temp2.
func kindOf(sensor string) (SensorKind, bool) {
	for kind, name := range kindNames {
		if number, ok := strings.CutPrefix(sensor, name); ok && isOrdinal(number) {
			return SensorKind(kind), true
		}
	}
	return 0, false
}

func (s *sensors) addChip(c chip, ids uniqueIDs) {
	for _, file := range c.files {
		sensor, kind, ok := inputOf(file)
		if ok && strings.HasSuffix(file, powerAverage) {
			ok = !slices.Contains(c.files, sensor+"_input")
		}
		if ok {
			s.addSensor(&c, sensor, kind, file, ids)
		}
	}
}

// addSensor adds a sensor of a chip, with its limits and alarms.
func (s *sensors) addSensor(c *chip, sensor string, kind SensorKind, file string, ids uniqueIDs) {
	at := func(suffix string) string { // "" where there is no such file.
		if !slices.Contains(c.files, sensor+suffix) {
			return ""
		}
		return c.dir + "/" + sensor + suffix
	}
	label := word(s.root, c.dir+"/"+sensor+"_label")
	if label == "" {
		label = sensor
	}
	id, input := ids.of(c.id+"/"+sensor), c.dir+"/"+file
	switch kind {
	case SensorFan:
		s.fanFiles = append(s.fanFiles, fanFile{
			id: id, name: c.name, location: label, input: input, fault: at("_fault"), min: at("_min"), max: at("_max"),
		})
	case SensorTemperature:
		s.temperatureFiles = append(s.temperatureFiles, temperatureFile{
			id: id, name: c.name, location: label, input: input, fault: at("_fault"),
			max: at("_max"), critical: at("_crit"), min: at("_min"), lowCritical: at("_lcrit"),
		})
	default:
		s.meterFiles[kind] = append(s.meterFiles[kind], meterFile{
			id: id, name: c.name, location: label, gpu: slices.Contains(gpuDrivers, c.name), input: input, fault: at("_fault"),
			max: at("_max"), critical: at("_crit"), min: at("_min"), lowCritical: at("_lcrit"),
		})
	}
	alarms := alarmFile{id: id, name: c.name, location: label, kind: kind, min: at("_min"), max: at("_max")}
	for _, suffix := range failedAlarms {
		alarms.failed = appendKnown(alarms.failed, at(suffix))
	}
	for _, suffix := range degradedAlarms {
		alarms.degraded = appendKnown(alarms.degraded, at(suffix))
	}
	if len(alarms.failed)+len(alarms.degraded) > 0 {
		s.alarmFiles = append(s.alarmFiles, alarms)
	}
}

func appendKnown(paths []string, path string) []string {
	if path == "" {
		return paths
	}
	return append(paths, path)
}

// The files that say that a sensor is broken or beyond a critical limit, and those that say that it is beyond another. Drivers whose chips do not tell
// which limit it is have only the last one.
var (
	failedAlarms   = [...]string{"_fault", "_crit_alarm", "_lcrit_alarm", "_emergency_alarm"}
	degradedAlarms = [...]string{"_max_alarm", "_min_alarm", "_alarm"}
)

// gpuDrivers are the names of chips that are of graphics processors.
var gpuDrivers = []string{"amdgpu", "radeon", "nouveau", "i915", "xe"}

// addThermalZones adds the zones of the thermal framework that are not among the chips. A zone knows one limit: the critical trip point.
func (s *sensors) addThermalZones(class string, chips []chip, ids uniqueIDs) {
	for _, entry := range s.root.ReadDir(class) {
		if !strings.HasPrefix(entry, "thermal_zone") {
			continue
		}
		dir := class + "/" + entry
		kind := word(s.root, dir+"/type")
		if kind == "" {
			kind = entry
		}
		files := s.root.ReadDir(dir)
		if isChip(kind, files, chips) || kind == fakedZone {
			continue
		}
		t := temperatureFile{id: ids.of("thermal/" + kind), name: kind, input: dir + "/temp"}
		if slices.Contains(files, "mode") {
			t.mode = dir + "/mode"
		}
		for _, file := range files {
			trip, ok := strings.CutSuffix(file, "_type")
			if ok && strings.HasPrefix(trip, "trip_point_") && word(s.root, dir+"/"+file) == "critical" {
				t.critical = dir + "/" + trip + "_temp"
			}
		}
		s.temperatureFiles = append(s.temperatureFiles, t)
	}
}

// fakedZone is for the policy of Intel's thermal framework. It always gives 20 °C.
const fakedZone = "INT3400 Thermal"

// isChip tells whether what a thermal zone measures is among the sensors of chips. The kernel shows a zone as a chip of its own, which is below
// the first zone of a type and has the type for its name, unless the zone's driver does not want it. The zone of Intel's packages is not wanted
// because coretemp has the same.
func isChip(kind string, files []string, chips []chip) bool {
	if slices.ContainsFunc(files, func(file string) bool { return strings.HasPrefix(file, "hwmon") }) {
		return true
	}
	name := strings.ReplaceAll(kind, "-", "_")
	return slices.ContainsFunc(chips, func(c chip) bool {
		return (c.name == name || c.name == "coretemp" && kind == "x86_pkg_temp") && slices.ContainsFunc(c.files, isTemperature)
	})
}

func isTemperature(file string) bool {
	_, kind, ok := inputOf(file)
	return ok && kind == SensorTemperature
}

func (s *sensors) addBatteries(class string) {
	for _, entry := range s.root.ReadDir(class) {
		uevent := class + "/" + entry + "/uevent"
		text, err := readFile(s.root, uevent, nil, maxFileSize)
		if err != nil {
			continue
		}
		p := parsePowerSupply(text)
		own := batteryFile{id: "power_supply/" + entry, uevent: uevent}
		if p.kind == "" { // Some kernels do not put everything into uevent.
			own.kind = word(s.root, class+"/"+entry+"/type")
			p.kind = own.kind
		}
		if p.scope == "" {
			own.scope = word(s.root, class+"/"+entry+"/scope")
			p.scope = own.scope
		}
		if p.kind == "Mains" {
			s.supplyFiles = append(s.supplyFiles, supplyFile{id: own.id, name: entry, online: class + "/" + entry + "/online"})
		}
		if p.kind == "Battery" && p.scope != "Device" {
			name := p.model
			if name == "" {
				name = entry
			}
			own.name = name
			if slices.Contains(s.root.ReadDir(class+"/"+entry), "capacity") {
				own.capacity = class + "/" + entry + "/capacity"
			}
			s.batteryFiles = append(s.batteryFiles, own)
		}
	}
}

func (s *sensors) sort() {
	slices.SortFunc(s.temperatureFiles, func(a, b temperatureFile) int { return cmp.Compare(a.id, b.id) })
	slices.SortFunc(s.fanFiles, func(a, b fanFile) int { return cmp.Compare(a.id, b.id) })
	for kind := range s.meterFiles {
		slices.SortFunc(s.meterFiles[kind], func(a, b meterFile) int { return cmp.Compare(a.id, b.id) })
	}
	slices.SortFunc(s.alarmFiles, func(a, b alarmFile) int { return cmp.Compare(a.id, b.id) })
	slices.SortFunc(s.batteryFiles, func(a, b batteryFile) int { return cmp.Compare(a.id, b.id) })
}
