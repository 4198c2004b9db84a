package notifyexporter

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// layout is how entries are stored, as JSON, each under the ID of its alert.
var layout = statestore.Layout{Name: "notify", Values: "alert/", Lists: "alerts/"}

// openStore opens the store of the table: in a storage extension, or without one for a successor in this process. It is in memory where the storage is
// damaged, which the error then says.
func openStore(ctx context.Context, host component.Host, id component.ID, extension *component.ID) (*statestore.Table[entry], error) {
	owner := statestore.Owner{Kind: component.KindExporter, ID: id}
	s, err := statestore.Open(ctx, host, extension, owner, layout, 0)
	return statestore.NewTable(s, decodeEntry), err
}

// decodeEntry is the inverse of json.Marshal, for the entry of an alert.
func decodeEntry(id string, text []byte) (*entry, error) {
	e := &entry{}
	if err := json.Unmarshal(text, e); err != nil {
		return nil, err
	}
	if e.ID != id {
		return nil, errors.New("it is that of another alert")
	}
	if e.Channels == nil {
		e.Channels = map[string]*telling{}
	}
	maps.DeleteFunc(e.Channels, func(_ string, tl *telling) bool { return tl == nil })
	return e, nil
}
