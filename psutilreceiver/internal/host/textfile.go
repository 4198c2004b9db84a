package host

import "time"

// TextFile is a regular file that other programs write.
type TextFile struct {
	// Name is the file's name, Path its path as this process has it.
	Name, Path string
	// Modified is when its content was last changed.
	Modified time.Time
	// Size is in bytes.
	Size int64
	// Inode is the number of the file; 0 where there is none.
	Inode uint64
	// Err says why it is not read; it then has nothing but its name.
	Err error
}
