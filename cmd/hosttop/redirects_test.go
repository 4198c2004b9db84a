package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
)

// TestRedirects holds sameServer to the table of internal/webclient, which it is a copy of: this module needs no package of the other.
func TestRedirects(t *testing.T) {
	text, err := os.ReadFile("../../internal/webclient/testdata/redirects.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		First, Next string
		Before      int // How many requests there were before, 1 if it is 0.
		Is          string
	}
	if err := json.Unmarshal(text, &rows); err != nil || len(rows) < 20 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	request := func(line string) *http.Request {
		method, url, _ := strings.Cut(line, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		return req
	}
	for _, row := range rows {
		via := make([]*http.Request, max(1, row.Before))
		for i := range via {
			via[i] = request(row.First)
		}
		is := "an error"
		switch err := sameServer(request(row.Next), via); {
		case err == nil:
			is = "followed"
		case errors.Is(err, http.ErrUseLastResponse):
			is = "an answer"
		}
		if is != row.Is {
			t.Errorf("%+v: it is %s", row, is)
		}
	}
}
