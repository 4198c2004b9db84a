package read

import (
	"bytes"
	"errors"
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// users knows the names of <root>/etc/passwd. The file is read again when its time, size or inode has changed; it is looked at no more than
// once in a scan.
type users struct {
	root    rootfs.Root
	checked bool
	err     error // why the file could not be read, but for being missing
	mtime   unix.Timespec
	size    int64
	ino     uint64
	names   map[uint32]string
}

// maxPasswdSize is enough for more than a hundred thousand users.
const maxPasswdSize = 16 << 20

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

// again looks at the file if it could not be read the last time, and returns why it can't be still: who identifies no process in a scan asks for no
// name.
func (u *users) again() error {
	if u.err != nil {
		u.checked = true
		u.refresh()
	}
	return u.err
}

// Owner returns the name of a user, its number where <root>/etc/passwd has no name.
func (r *Reader) Owner(uid uint32) string { return r.users.name(uid) }

func (u *users) refresh() {
	f, err := u.root.Open(u.root.Join("etc/passwd"), maxPasswdSize)
	if err != nil {
		*u = users{root: u.root, checked: true}
		if !errors.Is(err, fs.ErrNotExist) {
			u.err = err
		}
		return
	}
	defer func() { _ = f.Close() }()
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil {
		return
	}
	if u.names != nil && u.err == nil && st.Mtim == u.mtime && st.Size == u.size && st.Ino == u.ino {
		return
	}
	text, err := heldfile.ReadAll(int(f.Fd()), nil, maxPasswdSize)
	u.err = nil
	if err != nil {
		u.err = &fs.PathError{Op: "read", Path: f.Name(), Err: err} // Numbers stand in for names.
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
