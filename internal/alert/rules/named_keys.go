package rules

// NamedKeys returns the keys of the attributes that rules name, wherever these stand, and of those that name who sends. Of a resource or a point
// that has more attributes than are read they come first.
func (r *Set) NamedKeys() map[string]struct{} {
	named := map[string]struct{}{}
	add := func(keys ...string) {
		for _, key := range keys {
			named[key] = struct{}{}
		}
	}
	add(senderKeys...)
	for _, rule := range r.Rules {
		add(rule.NamesResource()...)
		for _, f := range rule.GroupBy {
			add(f.Key)
		}
		for _, in := range rule.Inputs() {
			add(in.Selector.keys()...)
		}
		if rule.Threshold != nil && rule.Threshold.OfAttribute {
			add(rule.Threshold.Attribute.Key)
		}
		if rule.ThresholdsBy != nil {
			add(rule.ThresholdsBy.Attribute.Key)
		}
		for _, f := range []*Reference{rule.And, rule.Unless} {
			if f != nil {
				for _, k := range f.Equal {
					add(k.Key)
				}
			}
		}
	}
	return named
}

// keys are all attributes that the selector looks at.
func (s *Selector) keys() []string {
	var keys []string
	for _, ms := range [][]matcher{s.point, s.resource, s.scope} {
		for i := range ms {
			keys = append(keys, ms[i].key)
		}
	}
	return keys
}
