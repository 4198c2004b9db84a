package host

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
)

// TextFiles lists the regular files of a directory of the host whose names end in suffix, by name. What is no file, such as a FIFO, and links out of the
// host's root are left out, and so is what has gone meanwhile.
func (h *Host) TextFiles(dir, suffix string) ([]TextFile, error) {
	path := h.Path(dir)
	fd, err := h.dir.OpenDir(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	d := os.NewFile(uintptr(fd), path)
	names, err := d.Readdirnames(-1)
	_ = d.Close()
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []TextFile
	for _, name := range names {
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		f, err := h.dir.Open(path+"/"+name, 1<<62)
		if err != nil {
			continue
		}
		if info, err := f.Stat(); err == nil {
			t := TextFile{Name: name, Path: path + "/" + name, Modified: info.ModTime(), Size: info.Size()}
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				t.Inode = st.Ino
			}
			out = append(out, t)
		}
		_ = f.Close()
	}
	return out, nil
}

// ReadTextFile reads a file of TextFiles with at most limit bytes.
func (h *Host) ReadTextFile(path string, limit int64) ([]byte, error) {
	f, err := h.dir.Open(path, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = errors.New("file is larger than it should be")
	}
	return text, err
}
