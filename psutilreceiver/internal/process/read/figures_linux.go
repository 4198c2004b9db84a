package read

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"

// bytesPerKilobyte is the kernel's "kB" in status and smaps_rollup.
const bytesPerKilobyte = 1024

// parseStatm reads the text of /proc/PID/statm: seven counts of pages, of which the first three are size, resident and shared. Since Linux 6.17
// resident is exact here, while stat leaves out what each CPU has not yet added to the common count.
func parseStatm(text []byte, pageSize uint64, s *Sample) bool {
	in := scanner{text: text}
	size, resident, shared := in.scaled(pageSize), in.scaled(pageSize), in.scaled(pageSize)
	if in.bad {
		return false
	}
	s.Levels[Virtual], s.Levels[Resident], s.Levels[Shared] = size, resident, shared
	s.Have |= FieldMemory | FieldShared
	return true
}

// parseIO reads the text of /proc/PID/io. The logical figures and those of storage are held each if all of their lines are there:
// a kernel without CONFIG_TASK_IO_ACCOUNTING prints only the former.
func parseIO(text []byte, s *Sample) bool {
	var found [NumCounters]bool
	var value Totals
	for len(text) > 0 {
		var line []byte
		line, text = proctext.Line(text)
		key, rest, ok := cutKey(line)
		if !ok {
			return false
		}
		var c Counter
		switch string(key) {
		case "rchar":
			c = LogicalReadBytes
		case "wchar":
			c = LogicalWriteBytes
		case "read_bytes":
			c = DiskReadBytes
		case "write_bytes":
			c = DiskWriteBytes
		default:
			continue
		}
		in := scanner{text: rest}
		if value[c] = in.unsigned(); in.bad {
			return false
		}
		found[c] = true
	}
	disk := found[DiskReadBytes] && found[DiskWriteBytes]
	logical := found[LogicalReadBytes] && found[LogicalWriteBytes]
	for c := range NumCounters {
		if found[c] && (c.Field() == FieldDiskIO && disk || c.Field() == FieldLogicalIO && logical) {
			s.Totals[c] = value[c]
			s.Have |= c.Field()
		}
	}
	return disk || logical
}

// status is what is taken from /proc/PID/status, or from that of one thread.
type status struct {
	uid                    uint32 // effective
	swap                   uint64 // bytes
	voluntary, involuntary uint64
	hasUID, hasSwap        bool
	hasSwitches            bool // both of them
}

// parseStatus reads the text of a status file. Every process has a user; other lines may be missing,
// as those of memory are for a kernel thread.
func parseStatus(text []byte) (st status, ok bool) {
	var seen int
	for len(text) > 0 {
		var line []byte
		line, text = proctext.Line(text)
		key, rest, isPair := cutKey(line)
		if !isPair {
			return status{}, false
		}
		in := scanner{text: rest}
		switch string(key) {
		case "Uid":
			in.skip(1)
			uid := in.unsigned()
			st.uid, st.hasUID = uint32(uid), true
			in.bad = in.bad || uid > 1<<32-1
		case "VmSwap":
			st.swap, st.hasSwap = in.scaled(bytesPerKilobyte), true
		case "voluntary_ctxt_switches":
			st.voluntary = in.unsigned()
			seen++
		case "nonvoluntary_ctxt_switches":
			st.involuntary = in.unsigned()
			seen++
		}
		if in.bad {
			return status{}, false
		}
	}
	if !st.hasUID {
		return status{}, false
	}
	st.hasSwitches = seen == 2
	return st, true
}

// parseSmapsRollup reads the text of /proc/PID/smaps_rollup. Its first line is the range of addresses that the rest sums up.
func parseSmapsRollup(text []byte, s *Sample) bool {
	var pss, unique uint64
	var seen int
	_, text = proctext.Line(text)
	for len(text) > 0 {
		var line []byte
		line, text = proctext.Line(text)
		key, rest, ok := cutKey(line)
		if !ok {
			return false
		}
		in := scanner{text: rest}
		switch string(key) {
		case "Pss":
			pss = in.scaled(bytesPerKilobyte)
			seen++
		case "Private_Clean", "Private_Dirty":
			unique += in.scaled(bytesPerKilobyte)
			seen++
		}
		if in.bad {
			return false
		}
	}
	if seen != 3 {
		return false
	}
	s.Levels[Proportional], s.Levels[Unique] = pss, unique
	s.Have |= FieldProportional
	return true
}
