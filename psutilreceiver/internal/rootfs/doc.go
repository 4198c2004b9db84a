// Package rootfs opens the files of a host: below its root directory, where that is mounted into this process's container, or this host's own.
//
// Below a root directory nothing is trusted. There any file may be a link out of it, a FIFO, which nobody may ever write to, a device, or a file of
// any size. So every path is resolved with the root directory as "/" ([openat2(2)], RESOLVE_IN_ROOT), opening never waits (O_NONBLOCK), what is
// no regular file is refused after opening, and so is one that is larger than its reader expects. No other package of the receiver opens files on
// Linux, which a test holds.
//
// Reading a regular file may still wait where the filesystem does: a file of FUSE or NFS that somebody has mounted in the place of a file that is read.
//
// [openat2(2)]: https://man7.org/linux/man-pages/man2/openat2.2.html
package rootfs
