// Package cgroup knows control groups of Linux: what their paths and the texts of their files mean, of either version, and which of them are shown.
//
// It opens no file: package host reads the groups, package process/read the path of a process.
package cgroup
