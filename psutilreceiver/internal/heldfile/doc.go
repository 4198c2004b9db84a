// Package heldfile keeps files of procfs and sysfs open from one read to the next. Reading such a file again from its beginning is one
// system call, where opening, reading and closing it are three, of which opening is the most expensive.
//
// Only these two filesystems promise that a file that stays open gives what is new at each read, and that it stays the file of its process
// or device: once that is gone, reading fails with ESRCH or ENODEV even if another one has the name by then. Files elsewhere, such as a copy
// of a /proc, are opened each time. Each file costs a descriptor and some 5 KiB of kernel memory: see [Budget].
package heldfile
