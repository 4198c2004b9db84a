package host

import (
	"bytes"
	"encoding/binary"
	"time"
)

// Where wtmp(5) has its records, the one of before the last rotation first. They are laid out as those of utmp.
var wtmpFiles = [...]string{"var/log/wtmp.1", "var/log/wtmp"}

const (
	utmpBoot       = 2 // ut_type BOOT_TIME
	utmpHostAt     = 76
	utmpHostLength = 256
	utmpTime32At   = 340 // of records of 384 bytes
	utmpTime64At   = 344 // of records of 400 bytes
)

// boot is one start of the host.
type boot struct {
	release string // of the kernel
	at      int64  // seconds since the epoch
}

// KernelSince is when the host first started with the kernel release that it runs: since then it has started with no other one. It is read from the boots in
// /var/log/wtmp. ErrUnsupported where these do not reach back to another release, or are not written, as by systems that have given wtmp up.
func (h *Host) KernelSince(now time.Time) (time.Time, error) {
	kernel, err := h.KernelRelease()
	if err != nil {
		return time.Time{}, err
	}
	var boots []boot
	for _, name := range wtmpFiles {
		text, err := h.readInRoot(name)
		if err != nil {
			continue
		}
		boots = append(boots, parseBoots(text)...)
	}
	at, ok := changedTo(kernel.Release, boots)
	since := time.Unix(at, 0)
	if !ok || at < earliestBoot || since.After(now) {
		return time.Time{}, ErrUnsupported
	}
	return since, nil
}

// earliestBoot is a time that a clock shows only when it was not set: the year 2000.
const earliestBoot = 946_684_800

// parseBoots gives the boots among the records of wtmp. Text that is not made of whole records has none.
func parseBoots(text []byte) (boots []boot) {
	size, ok := utmpSize(text)
	if !ok {
		return nil
	}
	for ; len(text) > 0; text = text[size:] {
		if binary.NativeEndian.Uint16(text) != utmpBoot {
			continue
		}
		release, _, _ := bytes.Cut(text[utmpHostAt:utmpHostAt+utmpHostLength], []byte{0})
		b := boot{release: string(release), at: int64(binary.NativeEndian.Uint32(text[utmpTime32At:]))}
		if size == utmpSizes[1] {
			b.at = int64(binary.NativeEndian.Uint64(text[utmpTime64At:]))
		}
		boots = append(boots, b)
	}
	return boots
}

// changedTo is when a host started with a release after it had started with another one, given that it started with it at last.
func changedTo(release string, boots []boot) (at int64, ok bool) {
	first := len(boots)
	for first > 0 && boots[first-1].release == release {
		first--
	}
	if first == 0 || first == len(boots) {
		return 0, false
	}
	return boots[first].at, true
}
