package alertaction

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

// Bounds of what a person may ask for.
const (
	// MaxSilences is how many silences of people an alert component holds at a time.
	MaxSilences = 500
	// MaxLength is how long a silence may be.
	MaxLength = 30 * 24 * time.Hour
	// MaxText is how long a name, a value or a comment may be, in bytes.
	MaxText = 256
	// maxGroup is how many attributes a silence may ask for.
	maxGroup = 16
)

// Silence keeps alerts from being announced, from now until an end. All that it names must be true of an alert; it names something.
type Silence struct {
	// ID identifies the silence: 16 hex digits.
	ID string
	// Rule is the name of a rule, or "" for any.
	Rule string
	// Alert is the ID of one alert as its records have it, or "" for any.
	Alert string
	// Group are attributes that the alert's records have, of its group or else of its resource, by key, with the text of their values.
	Group map[string]string
	// By is who asked for it, and Comment why.
	By, Comment string
	// From and To are when it begins and ends.
	From, To time.Time
}

// Acknowledgement says that a person looks after an alert that fires. It holds until the alert resolves.
type Acknowledgement struct {
	// Alert is the ID of the alert as its records have it.
	Alert string
	// By is who looks after it, and Comment what they say.
	By, Comment string
}

// Errors of actions.
var (
	// ErrUnknownAlert is the error of an alert that does not fire, or whose fire was never announced.
	ErrUnknownAlert = errors.New("no such alert is firing")
	// ErrUnknownRule is the error of a silence of a rule that there is not.
	ErrUnknownRule = errors.New("there is no such rule")
	// ErrUnknownSilence is the error of a silence that is not in force, or that no person made.
	ErrUnknownSilence = errors.New("there is no such silence")
	// ErrTooMany is the error of a silence beyond MaxSilences.
	ErrTooMany = fmt.Errorf("there are %d silences already: end one that is not needed any more", MaxSilences)
	// ErrNotRunning is the error of an alert component that has stopped.
	ErrNotRunning = errors.New("no alert component is running")
)

// NewID returns the ID of a new silence.
func NewID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // It never fails.
	return hex.EncodeToString(b[:])
}

// Check says what is wrong with a silence, and makes its texts printable.
func (s *Silence) Check() error {
	switch {
	case s.Rule == "" && s.Alert == "" && len(s.Group) == 0:
		return errors.New("say what to silence: a rule, an alert or attributes of a group")
	case len(s.Group) > maxGroup:
		return fmt.Errorf("a silence may ask for %d attributes at most", maxGroup)
	case !s.To.After(s.From):
		return errors.New("a silence must end after it begins")
	case s.To.Sub(s.From) > MaxLength:
		return fmt.Errorf("a silence may last %d days at most: what is to be silent for longer belongs into the configuration", int(MaxLength/(24*time.Hour)))
	}
	texts := []*string{&s.By, &s.Comment}
	if err := checkTexts(append([]*string{&s.Rule, &s.Alert}, texts...)); err != nil {
		return err
	}
	for key, value := range s.Group {
		if key == "" || len(key) > MaxText || len(value) > MaxText {
			return fmt.Errorf("an attribute must have a key, and neither it nor its value more than %d bytes", MaxText)
		}
	}
	return checkWho(s.By)
}

// Check says what is wrong with an acknowledgement, and makes its texts printable.
func (a *Acknowledgement) Check() error {
	if err := checkTexts([]*string{&a.Alert, &a.By, &a.Comment}); err != nil {
		return err
	}
	if a.Alert == "" {
		return errors.New("say which alert")
	}
	return checkWho(a.By)
}

// CheckedName returns the name of a person as it may stand in records; "" is nobody's.
func CheckedName(by string) (string, error) {
	err := checkTexts([]*string{&by})
	return by, err
}

func checkWho(by string) error {
	if strings.TrimSpace(by) == "" {
		return errors.New("say who asks for it: others will want to know")
	}
	return nil
}

func checkTexts(texts []*string) error {
	for _, t := range texts {
		if len(*t) > MaxText {
			return fmt.Errorf("a text may have %d bytes at most", MaxText)
		}
		*t = alertschema.CutText(printable.Text(*t), MaxText)
	}
	return nil
}

// Keys returns the keys of the attributes that the silence asks for, in order.
func (s *Silence) Keys() []string { return slices.Sorted(maps.Keys(s.Group)) }

// Summary says in words what is silenced.
func (s *Silence) Summary() string {
	var parts []string
	if s.Rule != "" {
		parts = append(parts, "rule "+s.Rule)
	}
	if s.Alert != "" {
		parts = append(parts, "alert "+s.Alert)
	}
	for _, key := range s.Keys() {
		parts = append(parts, key+"="+s.Group[key])
	}
	return strings.Join(parts, ", ")
}
