package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What the address and the header keep secret goes to the server that is named, and stands in no error.
func TestSecretsStayAtTheServer(t *testing.T) {
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Header.Get("X-Token")+r.Header.Get("Authorization"))
	}))
	defer other.Close()
	user := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _, _ = r.BasicAuth()
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	c, err := newClient(strings.Replace(server.URL, "://", "://ops:s3cret@", 1), "X-Token: s3cret")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.look(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "307") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error is %v", err)
	}
	if len(elsewhere) > 0 || user != "ops" {
		t.Errorf("elsewhere arrived %q, and here the user %q", elsewhere, user)
	}
	server.Close()
	if _, err = c.look(t.Context(), nil); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error is %v", err)
	}
	for _, address := range []string{"ftp://ops:s3cret@host", "http://ops:s3/cret@host", "http://host?key=s3cret", "http://ops:s3%cret@host", "ops:s3cret@", "http://ops:s3cret@"} {
		if _, err := newClient(address, ""); err == nil || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: the error is %v", address, err)
		}
	}
}

// A server that says each time that its history began again does not keep the client asking.
func TestAServerThatNeverSettles(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprintf(w, `{"store":"%d"}`, asked)
	}))
	defer server.Close()
	c, err := newClient(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.look(t.Context(), nil); err == nil {
		t.Error("there is no error")
	}
	if asked > 4 {
		t.Errorf("it was asked %d times", asked)
	}
}
