//go:build !linux

package host

// Bonds has nothing to read: only Linux has bonds that tell of their members.
type Bonds struct{}

// NewBonds returns a reader.
func NewBonds(*Host) *Bonds { return &Bonds{} }

// Read gives ErrUnsupported.
func (*Bonds) Read() ([]BondMember, error) { return nil, ErrUnsupported }
