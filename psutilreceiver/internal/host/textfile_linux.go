package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// ErrLinkLeadsOut is the error of a link that leads out of its directory, or nowhere. Whoever may write into the directory must not let this process,
// which may be root's, read what they may not, or files of the kernel whose reading has effects.
var ErrLinkLeadsOut = errors.New("it is a link that leads out of its directory: put the file itself there, or a link to a file below the directory")

// TextFiles lists the regular files of a directory of the host whose names end in suffix, by name, limit of them at most. What is no file, such as a FIFO,
// is left out, and so is what has gone meanwhile. The error is that of the directory, or that there are more files.
func (h *Host) TextFiles(dir, suffix string, limit int) ([]TextFile, error) {
	path := h.Path(dir)
	d, err := h.textDirectory(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(d.FD) }()
	names := h.dir.ReadDir(path)
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, suffix) })
	if len(names) > limit {
		names = names[:limit]
		err = fmt.Errorf("%s has more than %d files: the others are left out", path, limit)
	}
	var out []TextFile
	for _, name := range names {
		t := TextFile{Name: name, Path: path + "/" + name}
		f, openErr := openTextFile(d, name, 1<<62)
		switch {
		case openErr == nil:
		case isLink(d, name):
			t.Err = ErrLinkLeadsOut
			out = append(out, t)
			continue
		default:
			continue
		}
		if info, err := f.Stat(); err == nil {
			t.Modified, t.Size = info.ModTime(), info.Size()
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				t.Inode = st.Ino
			}
			out = append(out, t)
		}
		_ = f.Close()
	}
	return out, err
}

func (h *Host) textDirectory(path string) (rootfs.Directory, error) {
	fd, err := h.dir.OpenDir(path)
	if err != nil {
		return rootfs.Directory{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return rootfs.Directory{FD: fd, Path: path}, nil
}

// openTextFile opens a file of a directory. Links are followed as if the directory were the root.
func openTextFile(d rootfs.Directory, name string, limit int64) (*os.File, error) {
	fd, err := d.OpenFile(append([]byte(name), 0), limit)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: d.Path + "/" + name, Err: err}
	}
	return os.NewFile(uintptr(fd), d.Path+"/"+name), nil
}

// isLink tells whether a name is a link.
func isLink(d rootfs.Directory, name string) bool {
	var target [1]byte
	_, err := d.Readlink(append([]byte(name), 0), target[:])
	return err == nil
}

// ReadTextFile reads a file of TextFiles of a directory with at most limit bytes.
func (h *Host) ReadTextFile(dir, name string, limit int64) ([]byte, error) {
	d, err := h.textDirectory(h.Path(dir))
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(d.FD) }()
	f, err := openTextFile(d, name, limit)
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
