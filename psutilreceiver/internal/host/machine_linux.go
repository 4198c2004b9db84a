package host

import "strconv"

const (
	cpuinfoFile = "proc/cpuinfo"
	dmiDir      = "sys/class/dmi/id"
	// deviceTreeModel is of hosts that have no DMI: boards with Arm or RISC-V.
	deviceTreeModel = "sys/firmware/devicetree/base/model"
	firstCPUCaches  = "sys/devices/system/cpu/cpu0/cache/index"

	// cpuinfoSize is enough for the first CPU, whose flags are the longest line. The file as a whole takes a large host milliseconds to make.
	cpuinfoSize = 8 << 10
	maxCaches   = 16
)

// cpuModel reads the model of the first CPU, from the beginning of /proc/cpuinfo and the sizes of its caches in sysfs.
func (h *Host) cpuModel() CPUModel {
	once := sysfsReader{root: h.dir}
	text, _ := once.readInto(&sysfsFile{path: h.Path(cpuinfoFile)}, make([]byte, cpuinfoSize))
	m := parseCPUModel(text)
	for i := range maxCaches {
		dir := firstCPUCaches + strconv.Itoa(i)
		level := h.numberAt(dir + "/level")
		if level < 0 {
			break
		}
		if level == 2 {
			m.L2 = parseCacheSize([]byte(word(h.dir, h.Path(dir+"/size"))))
			break
		}
	}
	return m
}

// machine reads who made the host, and what model it is. The serial numbers beside them are for privileged users, and are not read.
func (h *Host) machine() Machine {
	m := Machine{
		Manufacturer: firmwareText(word(h.dir, h.Path(dmiDir+"/sys_vendor"))),
		Model:        firmwareText(word(h.dir, h.Path(dmiDir+"/product_name"))),
	}
	if m == (Machine{}) {
		m.Model = firmwareText(word(h.dir, h.Path(deviceTreeModel)))
	}
	return m
}
