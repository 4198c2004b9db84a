package webclient

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRedirects holds SameServer to a table, which cmd/hosttop, a module of its own, holds its copy to.
func TestRedirects(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/redirects.json")
	require.NoError(t, err)
	var rows []struct {
		First, Next string
		Before      int // How many requests there were before, 1 if it is 0.
		Is          string
	}
	require.NoError(t, json.Unmarshal(text, &rows))
	require.Greater(t, len(rows), 20)
	request := func(line string) *http.Request {
		method, url, _ := strings.Cut(line, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
		require.NoError(t, err)
		return req
	}
	for _, row := range rows {
		via := make([]*http.Request, max(1, row.Before))
		for i := range via {
			via[i] = request(row.First)
		}
		is := "an error"
		switch err := SameServer(request(row.Next), via); {
		case err == nil:
			is = "followed"
		case errors.Is(err, http.ErrUseLastResponse):
			is = "an answer"
		}
		assert.Equal(t, row.Is, is, "%+v", row)
	}
}
