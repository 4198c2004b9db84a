// Package read reads the processes of a host.
//
// On Linux a [Reader] walks <root>/proc with raw system calls and without allocating; elsewhere it uses the interfaces of the system.
// It gives plain samples in base units (bytes, microseconds, counts). What is made of them from one scrape to the next is the work of
// package process, which this package does not import; of the counters the times of reaped children are filled there.
package read
