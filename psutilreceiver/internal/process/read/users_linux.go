package read

import (
	"bytes"
	"io"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// users knows the names of <root>/etc/passwd. The file is read again when its time, size or inode has changed; it is looked at no more than
// once in a scan.
type users struct {
	root    string
	checked bool
	mtime   unix.Timespec
	size    int64
	ino     uint64
	names   map[uint32]string
}

// name returns the name of a user, or its number if it has none.
func (u *users) name(uid uint32) string {
	if !u.checked {
		u.checked = true
		u.refresh()
	}
	if name, ok := u.names[uid]; ok {
		return name
	}
	return strconv.FormatUint(uint64(uid), 10)
}

func (u *users) refresh() {
	f, err := rootfs.Open(u.root, "etc/passwd")
	if err != nil {
		*u = users{root: u.root, checked: true}
		return
	}
	defer func() { _ = f.Close() }()
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil {
		return
	}
	if u.names != nil && st.Mtim == u.mtime && st.Size == u.size && st.Ino == u.ino {
		return
	}
	text, err := io.ReadAll(f)
	if err != nil {
		text = nil // Numbers stand in for names.
	}
	u.mtime, u.size, u.ino = st.Mtim, st.Size, st.Ino
	u.names = parsePasswd(text)
}

// parsePasswd reads the text of passwd(5) and returns the names by uid. Of several names for one uid the first counts, as it does for getpwuid(3), which
// also passes over blanks before a line, comments, and the names with + and - before them that refer to NIS.
func parsePasswd(text []byte) map[uint32]string {
	names := map[uint32]string{}
	for len(text) > 0 {
		var line []byte
		line, text = proctext.Line(text)
		name, rest, _ := bytes.Cut(bytes.TrimLeft(line, " \t"), []byte(":"))
		_, rest, _ = bytes.Cut(rest, []byte(":"))
		number, _, ok := bytes.Cut(rest, []byte(":"))
		uid, isNumber := proctext.Uint(number)
		if !ok || !isNumber || len(name) == 0 || bytes.IndexByte([]byte("#+-"), name[0]) >= 0 || uid > 1<<32-1 {
			continue
		}
		if _, known := names[uint32(uid)]; !known {
			names[uint32(uid)] = string(name)
		}
	}
	return names
}
