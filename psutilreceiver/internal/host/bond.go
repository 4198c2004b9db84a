package host

// BondMember is an interface that is a member of a bond.
type BondMember struct {
	Bond, Interface string
	Up              int64 // 1 if its link is up, else 0; -1 where that is not known
}
