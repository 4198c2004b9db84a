//go:build !linux

package systemd

import (
	"context"
	"errors"
)

func (*Client) connect(context.Context) (*connection, error) { return nil, errors.ErrUnsupported }
