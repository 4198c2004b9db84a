package statestore

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// recreating is a storage that may lose what it holds and begin empty.
type recreating struct {
	*disk
	recreations int
}

func (r *recreating) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return recreatingClient{client{r.disk}, r}, nil
}

type recreatingClient struct {
	client
	of *recreating
}

func (r recreatingClient) Recreations() int { return r.of.recreations }

// A storage that was created again is said to hold nothing, before a write as well as within one, and then holds what is written again.
func TestAStorageThatIsBegunAnew(t *testing.T) {
	for _, idle := range []bool{true, false} {
		ext := &recreating{disk: &disk{data: map[string][]byte{}}}
		id := component.MustNewID("disk")
		owner := Owner{component.KindExporter, component.MustNewIDWithName("store", t.Name())}
		s, err := Open(t.Context(), machine{id: ext}, &id, owner, plain, 0)
		require.NoError(t, err)
		require.NoError(t, s.Write(t.Context(), changes(values("a", "b"))))

		ext.recreations++
		clear(ext.data)
		if idle {
			require.ErrorIs(t, s.Write(t.Context(), nil), ErrRecreated)
		} else {
			require.ErrorIs(t, s.Write(t.Context(), changes(values("c"))), ErrRecreated)
		}
		require.NoError(t, s.Write(t.Context(), changes(values("a", "b", "c"))))
		require.NoError(t, s.Write(t.Context(), nil))
		s, err = Open(t.Context(), machine{id: ext}, &id, owner, plain, 0)
		require.NoError(t, err)
		got, damaged, err := s.Load(t.Context(), start)
		require.NoError(t, err)
		require.NoError(t, damaged)
		assert.Equal(t, values("a", "b", "c"), got)
	}
}
