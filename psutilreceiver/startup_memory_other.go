//go:build !linux

package psutilreceiver

func unmapUnusedCode() {}
