// Package read reads the processes of a host.
//
// On Linux a [Reader] walks <root>/proc with raw system calls and without allocating; elsewhere it asks the system's own interfaces.
// It gives plain samples in base units (bytes, microseconds, counts). What is made of them from one scrape to the next is the work of
// package process, which this package does not know.
package read
