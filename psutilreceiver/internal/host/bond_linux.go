package host

import (
	"bytes"
	"errors"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	bondingMasters = "sys/class/net/bonding_masters"
	// bondReprobe is the number of reads after which it is looked for bonds again where there were none.
	bondReprobe = 20
	// maxBondMembers bounds what is read of one host.
	maxBondMembers = 4096
)

// Bonds reads which interfaces are bonded, and whether the link of each is up, from sysfs.
type Bonds struct {
	host    *Host
	members []BondMember
	absent  int // reads for which it is known that the host has no bonds
	buf     []byte
}

// NewBonds returns a reader.
func NewBonds(h *Host) *Bonds { return &Bonds{host: h} }

// Read gives the members of all bonds, valid until the next Read. A bond without members has one with an empty name. ErrUnsupported where there is
// no bond, and on other systems than Linux.
func (b *Bonds) Read() ([]BondMember, error) {
	b.members = b.members[:0]
	if b.absent > 0 {
		b.absent--
		return nil, ErrUnsupported
	}
	var err error
	if b.buf, err = b.host.readOnce(bondingMasters, b.buf); err != nil {
		if err = optional(err); errors.Is(err, ErrUnsupported) { // The module is not loaded.
			b.absent = bondReprobe - 1
		}
		return nil, err
	}
	masters := bytes.Clone(b.buf)
	var errs error
	for rest := masters; ; {
		var bond []byte
		if bond, rest = proctext.Field(rest); len(bond) == 0 {
			break
		}
		errs = errors.Join(errs, b.readMembers(b.host.names.of(bond)))
	}
	if len(b.members) == 0 && errs == nil {
		return nil, ErrUnsupported
	}
	return b.members, errs
}

func (b *Bonds) readMembers(bond string) error {
	if slices.ContainsFunc(b.members, func(m BondMember) bool { return m.Bond == bond }) {
		return nil
	}
	if !isFileName(bond) {
		return malformed(bondingMasters, []byte(bond))
	}
	var err error
	if b.buf, err = b.host.readOnce("sys/class/net/"+bond+"/bonding/slaves", b.buf); err != nil {
		if errors.Is(optional(err), ErrUnsupported) {
			return nil // Gone since it was listed.
		}
		return err
	}
	first := len(b.members)
	for rest := b.buf; len(b.members) < maxBondMembers; {
		var name []byte
		if name, rest = proctext.Field(rest); len(name) == 0 {
			break
		}
		if slices.ContainsFunc(b.members, func(m BondMember) bool { return m.Interface == string(name) }) {
			continue // An interface is a member of one bond, once.
		}
		b.members = append(b.members, BondMember{Bond: bond, Interface: b.host.names.of(name), Up: absent})
	}
	if len(b.members) == first {
		b.members = append(b.members, BondMember{Bond: bond, Up: absent})
		return nil
	}
	var errs error
	for i := range b.members[first:] {
		errs = errors.Join(errs, b.readState(&b.members[first+i]))
	}
	return errs
}

// readState reads what the bond watches of the link of a member.
func (b *Bonds) readState(m *BondMember) error {
	if !isFileName(m.Interface) {
		return malformed("sys/class/net/"+m.Bond+"/bonding/slaves", []byte(m.Interface))
	}
	file := "sys/class/net/" + m.Interface + "/bonding_slave/mii_status"
	var err error
	if b.buf, err = b.host.readOnce(file, b.buf); err != nil {
		if errors.Is(optional(err), ErrUnsupported) {
			return nil // Gone since it was listed, or before Linux 3.14.
		}
		return err
	}
	switch text := bytes.TrimSpace(b.buf); string(text) {
	case "up":
		m.Up = 1
	case "down", "going down", "going back": // The last two for as long as updelay and downdelay say.
		m.Up = 0
	default:
		return malformed(file, text)
	}
	return nil
}

// isFileName tells whether a name is one within a directory.
func isFileName(name string) bool {
	return name != "" && name != "." && name != ".." && !bytes.ContainsRune([]byte(name), '/')
}
