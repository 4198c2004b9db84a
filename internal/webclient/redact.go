// Package webclient is what the HTTP clients of the components have in common towards servers that are not trusted: no secret of a URL in a text, no
// redirect that takes headers to somebody else, and no waiting for as long as a server says. It knows of no component.
package webclient

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// hidden stands in place of what is secret.
const hidden = "xxxxx"

// Redact returns a URL without what may be secret in it: user, password, values of the query and the fragment. A text that is no URL may be one with
// a mistake in it, and is treated likewise.
func Redact(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil && strings.Contains(text, "@") {
		return redactText(text)
	}
	if u.User != nil {
		u.User = url.User(hidden)
	}
	if u.RawQuery != "" {
		u.RawQuery = hidden
	}
	if u.Fragment != "" {
		u.Fragment, u.RawFragment = hidden, ""
	}
	return u.String()
}

// redactText does it where it is not clear what is the host: what stands before the last @ is secret.
func redactText(text string) string {
	text, _, query := cutAny(text, "?#")
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		scheme, rest = "", text
	} else {
		scheme += "://"
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = hidden + rest[at:]
	}
	if strings.Contains(scheme, "@") {
		scheme = hidden + "://"
	}
	if query {
		rest += "?" + hidden
	}
	return scheme + rest
}

func cutAny(text, marks string) (before, after string, found bool) {
	if i := strings.IndexAny(text, marks); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, "", false
}

var (
	// parseFaults are what package net/url says of what is no URL: what follows the text may quote a password of it as a port.
	parseFaults = regexp.MustCompile(`parse ("(?:[^"\\]|\\.)*"): .*`)
	quotedTexts = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	plainURLs   = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]+`)
)

// redactWithin redacts the URLs that an error names, whoever named them: package net/http quotes a Location as it came.
func redactWithin(text string) string {
	if !strings.Contains(text, "//") && !strings.Contains(text, "@") {
		return text
	}
	text = parseFaults.ReplaceAllString(text, "parse $1: it is no URL")
	text = quotedTexts.ReplaceAllStringFunc(text, func(quoted string) string {
		inner, err := strconv.Unquote(quoted)
		if err != nil || !strings.Contains(inner, "//") && !strings.Contains(inner, "@") {
			return quoted
		}
		return strconv.Quote(Redact(inner))
	})
	return plainURLs.ReplaceAllStringFunc(text, func(found string) string {
		bare := strings.TrimRight(found, ":,.;)")
		return Redact(bare) + found[len(bare):]
	})
}

// maxError bounds the text of an error that a server may have had a part in, in bytes.
const maxError = 1024

// redactedError is an error whose text has no secrets.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Unwrap() error { return e.err }

// RedactError returns the error of a client with another text: without the secrets of the URLs that it names, and bounded. It is still what it was to
// errors.Is and errors.As.
func RedactError(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	var of *url.Error
	for inner := err; errors.As(inner, &of); inner = of.Err {
		redacted := Redact(of.URL)
		text = strings.ReplaceAll(text, strconv.Quote(of.URL), strconv.Quote(redacted))
		text = strings.ReplaceAll(text, of.URL, redacted)
		if of.Err == nil {
			break
		}
		if of.Op == "parse" {
			text = strings.ReplaceAll(text, of.Err.Error(), "it is no URL") // A password may be quoted there as a port.
		}
	}
	text = redactWithin(text)
	if len(text) > maxError {
		end := maxError
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	if text == err.Error() {
		return err
	}
	return &redactedError{text: text, err: err}
}
