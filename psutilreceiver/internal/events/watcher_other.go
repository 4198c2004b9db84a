//go:build !linux

package events

import "errors"

type connector struct{}

func openConnector(string) (*connector, error) { return nil, errors.ErrUnsupported }

func (*connector) read(func(processMessage)) (bool, error) { return false, nil }

func (*connector) close() error { return nil }

func openKernelLog(string) (kernelLog, error) { return nil, errors.ErrUnsupported }
