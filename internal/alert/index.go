package alert

import (
	"fmt"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// indexKey is the key of the index that versions 1 and 2 kept of their own keys.
const indexKey = "index"

// KeysOfVersion2 returns the keys under which builds that stored versions 1 and 2 have stored a state: those of values, and those that are of
// no use any more. Both are empty unless such a build wrote last. An error that is not one of get is about an index that cannot be decoded; the
// values that it listed are lost.
func KeysOfVersion2(get func(key string) ([]byte, error)) (values, obsolete []string, err error) {
	index, err := get(indexKey)
	if err != nil {
		return nil, nil, err
	}
	meta, err := get(metaKey)
	if err != nil {
		return nil, nil, err
	}
	// Later builds delete the index. One of version 2 that had no alerts wrote none.
	if wroteMeta := len(meta) > 0 && meta[0] <= 2; index == nil && !wroteMeta {
		return nil, nil, nil
	}
	if meta != nil {
		values = []string{metaKey}
	}
	if index == nil {
		return values, []string{indexKey}, nil
	}
	alerts, events, err := decodeIndex(index)
	if err != nil {
		return values, []string{indexKey}, fmt.Errorf("decoding %s: %w", indexKey, err)
	}
	for _, id := range alerts {
		values = append(values, alertKey(id))
	}
	for _, seq := range events {
		values = append(values, eventKey(seq))
	}
	return values, []string{indexKey}, nil
}

func decodeIndex(v []byte) (alerts, events []uint64, err error) {
	d := attr.Unseal(v)
	alerts = attr.DecodeList(&d, (*attr.Decoder).Uint)
	events = attr.DecodeList(&d, (*attr.Decoder).Uint)
	return alerts, events, d.Finish()
}
