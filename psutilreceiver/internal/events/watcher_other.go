//go:build !linux

package events

import (
	"errors"
	"time"
)

type connector struct{}

func openConnector(string) (*connector, error) { return nil, errors.ErrUnsupported }

func (*connector) listen(func(processMessage), func(error)) error { return nil }

func (*connector) drain(func(processMessage)) error { return nil }

func commOf(string, int32) string { return "" }

func hasProcfs(string) bool { return false }

func groupsOf(string, int32) string { return "" }

func (*connector) close() error { return nil }

type statistics struct{}

func openStatistics(string) (*statistics, error) { return nil, errors.ErrUnsupported }

func (*statistics) listen(func(taskRecord), func(error)) error { return nil }

func (*statistics) drain(func(taskRecord)) error { return nil }

func (*statistics) close() error { return nil }

func openKernelLog(string) (kernelLog, error) { return nil, errors.ErrUnsupported }

func monotonicClock() (time.Duration, error) { return 0, errors.ErrUnsupported }
