package alertmanagerexporter

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// layout is how entries are stored, as JSON, each under the ID of its alert.
var layout = statestore.Layout{Name: "alertmanager", Values: "alert/", Lists: "alerts/"}

// openStore opens the store of the table: in a storage extension, or without one for a successor in this process. The alert rules go on silently after a
// reload, so the exporter must, too. It is in memory where the storage is damaged, which the error then says.
func openStore(ctx context.Context, host component.Host, id component.ID, extension *component.ID) (*statestore.Table[entry], error) {
	owner := statestore.Owner{Kind: component.KindExporter, ID: id}
	s, err := statestore.Open(ctx, host, extension, owner, layout, 0)
	return statestore.NewTable(s, func(_ string, text []byte) (*entry, error) { return decodeEntry(text) }), err
}

// decodeEntry is the inverse of json.Marshal. What it returns without an error can be posted.
func decodeEntry(text []byte) (*entry, error) {
	var e *entry
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, err
	}
	if e == nil || len(e.Labels) == 0 && (!e.silent() || e.Position == position{}) {
		return nil, errors.New("nothing in it")
	}
	firings := make([]*firing, 0, len(e.Ended)+1)
	for i := range e.Ended {
		firings = append(firings, &e.Ended[i])
	}
	if e.Active != nil {
		firings = append(firings, e.Active)
	}
	for _, f := range firings {
		f.split(e.Labels)
		if labels := e.labelsOf(f); labels[labelAlertName] == "" || labels[labelSeverity] == "" {
			return nil, errors.New("labels are missing")
		}
	}
	return e, nil
}

func sortedIDs(entries map[string]*entry) []string { return slices.Sorted(maps.Keys(entries)) }
