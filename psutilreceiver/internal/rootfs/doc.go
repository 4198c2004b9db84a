// Package rootfs opens files below the root directory of a host whose files are mounted into this process's container.
package rootfs
