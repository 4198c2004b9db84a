package host

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DiskState is what a disk says of itself.
type DiskState int

// The states of disks.
const (
	DiskOK       DiskState = iota
	DiskDegraded           // works, and something is wrong: too warm, without its backup power, being reset
	DiskFailing            // says that it will fail soon
	DiskFailed             // can't be written, or does not answer
)

// SMARTValue is a value that a disk counts, raw.
type SMARTValue struct {
	Name  string // as power_on_hours
	Value int64
}

// DiskHealth is what a disk says of its own health.
type DiskHealth struct {
	ID, Name   string // ID is unique on the host: disk/nvme0
	State      DiskState
	StateKnown bool
	Values     []SMARTValue
	Remaining  float64 // share of the endurance, 0 to 1; -1 where the disk does not say
	Celsius    float64 // NaN where the disk does not say
	// MediaErrors is how often data could not be read or written, permanently; -1 where the disk does not say.
	MediaErrors int64
}

// reset makes d what is known of a disk before it has said anything.
func (d *DiskHealth) reset() {
	*d = DiskHealth{ID: d.ID, Name: d.Name, Values: d.Values[:0], Remaining: absent, Celsius: math.NaN(), MediaErrors: absent}
}

// worsen makes the state a worse one.
func (d *DiskHealth) worsen(s DiskState) { d.State = max(d.State, s) }

const (
	// nvmeLogSize is the size of the SMART / Health Information log page, 02h.
	nvmeLogSize = 512
	kelvin      = 273.15
)

// The bits of Critical Warning, byte 0 of the log page.
const (
	nvmeSpareLow = 1 << iota
	nvmeTemperature
	nvmeUnreliable
	nvmeReadOnly
	nvmeBackupFailed
	nvmeMemoryReadOnly
)

// parseNVMeLog reads the SMART / Health Information log page of the NVM Express base specification. Numbers are little-endian, the counters of 128
// bits; what is more than 2^63-1 is that.
func (d *DiskHealth) parseNVMeLog(page []byte) error {
	if len(page) < nvmeLogSize {
		return fmt.Errorf("the health log page of %s has %d bytes instead of %d: %w", d.Name, len(page), nvmeLogSize, errMalformed)
	}
	warning := page[0]
	d.StateKnown = true
	if warning&(nvmeTemperature|nvmeBackupFailed) != 0 {
		d.worsen(DiskDegraded)
	}
	if warning&(nvmeSpareLow|nvmeUnreliable) != 0 {
		d.worsen(DiskFailing)
	}
	if warning&(nvmeReadOnly|nvmeMemoryReadOnly) != 0 {
		d.worsen(DiskFailed)
	}
	if k := binary.LittleEndian.Uint16(page[1:]); k > 0 && k < 1000 { // 0 is of a disk that has no sensor.
		d.Celsius = float64(k) - kelvin
	}
	used := page[5] // May be above 100.
	d.Remaining = 1 - float64(min(used, 100))/100
	d.MediaErrors = counter128(page[160:])
	d.Values = append(d.Values,
		SMARTValue{"critical_warning", int64(warning)},
		SMARTValue{"available_spare", int64(page[3])},
		SMARTValue{"available_spare_threshold", int64(page[4])},
		SMARTValue{"percentage_used", int64(used)},
		SMARTValue{"data_units_read", counter128(page[32:])},
		SMARTValue{"data_units_written", counter128(page[48:])},
		SMARTValue{"controller_busy_time", counter128(page[96:])},
		SMARTValue{"power_cycles", counter128(page[112:])},
		SMARTValue{"power_on_hours", counter128(page[128:])},
		SMARTValue{"unsafe_shutdowns", counter128(page[144:])},
		SMARTValue{"media_errors", d.MediaErrors},
		SMARTValue{"error_log_entries", counter128(page[176:])},
	)
	return nil
}

// counter128 reads a number of 16 bytes.
func counter128(b []byte) int64 {
	low, high := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	if high != 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}

const (
	ataDataSize      = 512
	ataAttributesAt  = 2
	ataAttributeSize = 12
	ataAttributes    = 30
)

// ataNames are the attributes that most makers of disks give the same meaning.
var ataNames = map[byte]string{
	5: "reallocated_sectors", 9: "power_on_hours", 10: "spin_retries", 12: "power_cycles", 184: "end_to_end_errors", 187: "reported_uncorrectable_errors",
	188: "command_timeouts", 192: "unsafe_shutdowns", 194: "temperature", 196: "reallocation_events", 197: "pending_sectors",
	198: "offline_uncorrectable_sectors", 199: "interface_crc_errors",
}

// parseATAData reads the 512 bytes that SMART READ DATA gives: a version of 2 bytes, 30 attributes of 12 bytes each, and what is not read here. The
// bytes sum to 0 modulo 256. Of an attribute these are the number, the flags, the normalised value, the worst one, and 6 bytes of the raw value.
func (d *DiskHealth) parseATAData(data []byte) error {
	if len(data) < ataDataSize {
		return fmt.Errorf("the SMART data of %s has %d bytes instead of %d: %w", d.Name, len(data), ataDataSize, errMalformed)
	}
	sum := byte(0)
	for _, b := range data[:ataDataSize] {
		sum += b
	}
	if sum != 0 {
		return fmt.Errorf("the SMART data of %s has a wrong checksum: %w", d.Name, errMalformed)
	}
	for i := range ataAttributes {
		a := data[ataAttributesAt+i*ataAttributeSize:][:ataAttributeSize]
		name, ok := ataNames[a[0]]
		if !ok {
			continue
		}
		raw := int64(a[5]) | int64(a[6])<<8 | int64(a[7])<<16 | int64(a[8])<<24 | int64(a[9])<<32 | int64(a[10])<<40
		switch a[0] {
		case 9: // Some disks have more than hours in the upper bytes.
			raw &= 1<<32 - 1
		case 194: // The upper bytes have the lowest and the highest.
			raw &= 1<<8 - 1
			d.Celsius = float64(int8(raw))
			raw = int64(int8(raw))
		case 187:
			d.MediaErrors = raw & (1<<16 - 1)
		}
		d.Values = append(d.Values, SMARTValue{name, raw})
	}
	return nil
}

// parseATAStatus reads what SMART RETURN STATUS leaves in the registers LBA Mid and LBA High: 4Fh and C2h of a disk that is well, F4h and 2Ch of one
// that has exceeded a threshold.
func (d *DiskHealth) parseATAStatus(mid, high byte) error {
	switch {
	case mid == 0x4f && high == 0xc2:
	case mid == 0xf4 && high == 0x2c:
		d.worsen(DiskFailing)
	default:
		return fmt.Errorf("the SMART status of %s is neither good nor bad: %02x %02x: %w", d.Name, mid, high, errMalformed)
	}
	d.StateKnown = true
	return nil
}

// ataRegisters are what a command leaves in the registers of the disk.
type ataRegisters struct{ count, mid, high, status byte }

// isAsleep tells what CHECK POWER MODE says: a disk in standby would have to spin up to say more.
func (r ataRegisters) isAsleep() bool { return r.count == 0x00 || r.count == 0x01 }

// parseATASense reads sense data with the descriptor ATA Status Return: in the descriptor format, 9 is its code and 12 its length.
func parseATASense(sense []byte) (ataRegisters, error) {
	const (
		descriptorFormat = 0x72
		headerSize       = 8
		statusReturn     = 0x09
		descriptorSize   = 14
		failed           = 0x01 // ERR of the status register.
	)
	if len(sense) < headerSize || sense[0]&0x7f != descriptorFormat {
		return ataRegisters{}, fmt.Errorf("the sense data has no registers of the disk: %w", errMalformed)
	}
	for rest := sense[headerSize:]; len(rest) >= 2; {
		size := int(rest[1]) + 2
		if size > len(rest) {
			break
		}
		if rest[0] == statusReturn && size >= descriptorSize {
			r := ataRegisters{count: rest[5], mid: rest[9], high: rest[11], status: rest[13]}
			if r.status&failed != 0 {
				return r, fmt.Errorf("the disk refuses the command")
			}
			return r, nil
		}
		rest = rest[size:]
	}
	return ataRegisters{}, fmt.Errorf("the sense data has no registers of the disk: %w", errMalformed)
}
