package alertaction

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Taker takes actions for the alerts of one alert component. It is safe for concurrent use.
type Taker interface {
	// Silence puts a silence in force, and what it names is stored before it returns where there is a storage.
	Silence(s Silence) error
	// EndSilence ends a silence that a person made, by its ID, for the person who asks for it.
	EndSilence(id, by string) error
	// Silences returns the silences of people that are in force, the one that ends first before the others.
	Silences() []Silence
	// Acknowledge says that a person looks after an alert.
	Acknowledge(a Acknowledgement) error
}

var offered = struct {
	sync.Mutex
	takers []Taker
}{}

// Offer has a component take actions, until withdraw is called.
func Offer(t Taker) (withdraw func()) {
	offered.Lock()
	defer offered.Unlock()
	offered.takers = append(offered.takers, t)
	return func() {
		offered.Lock()
		defer offered.Unlock()
		offered.takers = slices.DeleteFunc(offered.takers, func(other Taker) bool { return other == t })
	}
}

func takers() []Taker {
	offered.Lock()
	defer offered.Unlock()
	return slices.Clone(offered.takers)
}

// Possible tells whether there is an alert component that takes actions.
func Possible() bool { return len(takers()) > 0 }

// PutSilence puts a silence in force in every alert component of this process that has what it names.
func PutSilence(s Silence) error {
	all := takers()
	if len(all) == 0 {
		return ErrNotRunning
	}
	var errs []error
	unknown := 0
	for _, t := range all {
		err := t.Silence(s)
		if errors.Is(err, ErrUnknownRule) {
			unknown++
			continue
		}
		errs = append(errs, err)
	}
	if unknown == len(all) {
		return fmt.Errorf("%w: %s", ErrUnknownRule, s.Rule)
	}
	return errors.Join(errs...)
}

// EndSilence ends a silence wherever it is in force.
func EndSilence(id, by string) error {
	err, ended := ErrNotRunning, false
	for _, t := range takers() {
		if err = t.EndSilence(id, by); err == nil {
			ended = true
		}
	}
	if ended {
		return nil
	}
	return err
}

// Acknowledge acknowledges an alert, of whichever component it is.
func Acknowledge(a Acknowledgement) error {
	err := ErrNotRunning
	for _, t := range takers() {
		if err = t.Acknowledge(a); err == nil {
			return nil
		}
	}
	return err
}

// Silences returns the silences of people that are in force, each once, the one that ends first before the others.
func Silences() []Silence {
	var all []Silence
	for _, t := range takers() {
		all = append(all, t.Silences()...)
	}
	slices.SortFunc(all, func(a, b Silence) int { return cmp.Or(a.To.Compare(b.To), cmp.Compare(a.ID, b.ID)) })
	return slices.CompactFunc(all, func(a, b Silence) bool { return a.ID == b.ID })
}
