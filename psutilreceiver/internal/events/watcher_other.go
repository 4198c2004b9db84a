//go:build !linux

package events

import "errors"

type connector struct{}

func openConnector(string) (*connector, error) { return nil, errors.ErrUnsupported }

func (*connector) listen(func(processMessage), func(error)) {}

func commOf(string, int32) string { return "" }

func (*connector) close() error { return nil }

func openKernelLog(string) (kernelLog, error) { return nil, errors.ErrUnsupported }
