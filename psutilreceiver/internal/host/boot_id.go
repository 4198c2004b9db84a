package host

import "strings"

// BootID is what tells this boot of the host from all others, from /proc/sys/kernel/random/boot_id, "" where there is none.
func (h *Host) BootID() string {
	text, err := h.readOnce("proc/sys/kernel/random/boot_id", nil)
	if err != nil {
		return "" // The time of the boot tells of it as well, but for a clock that is set.
	}
	id := strings.TrimSpace(string(text))
	const most = 64
	return id[:min(len(id), most)]
}
