package commandline

import "strings"

// lexer splits a text into words as a shell does: at blanks outside of quotes, and in the text of a shell at its operators. A quote that is not closed is a
// letter like others, for a text may be prose.
type lexer struct {
	text  string
	shell bool
	// unclosed are the quotes, ' and ", of which no other follows.
	unclosed [2]bool
}

// next returns what is before the next word, and the word with its quotes. More is false at the end of the text, when there is no word.
func (l *lexer) next() (separator, word string, more bool) {
	i := 0
	for i < len(l.text) && l.separates(l.text[i]) {
		i++
	}
	separator, l.text = l.text[:i], l.text[i:]
	if l.text == "" {
		return separator, "", false
	}
	for i = 0; i < len(l.text) && !l.separates(l.text[i]); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case '"', '\'':
			i = l.skipQuoted(i)
		}
	}
	i = min(i, len(l.text))
	word, l.text = l.text[:i], l.text[i:]
	return separator, word, true
}

func (l *lexer) separates(c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\r', '\v', '\f':
		return true
	case ';', '|', '&', '(', ')', '<', '>', '`':
		return l.shell
	}
	return false
}

// skipQuoted returns where the quote at i is closed, i if it is not.
func (l *lexer) skipQuoted(i int) int {
	kind := 0
	if l.text[i] == '"' {
		kind = 1
	}
	if l.unclosed[kind] {
		return i
	}
	if end := closing(l.text, i); end > 0 {
		return end
	}
	l.unclosed[kind] = true
	return i
}

// closing returns where the quote at i is closed: -1 if it is not. Within double quotes a backslash makes the next byte a letter.
func closing(text string, i int) int {
	quote := text[i]
	if quote == '\'' {
		if end := strings.IndexByte(text[i+1:], quote); end >= 0 {
			return i + 1 + end
		}
		return -1
	}
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case quote:
			return j
		}
	}
	return -1
}

// unquoted is a word without the quotes around it, if they are around all of it.
func unquoted(word string) string {
	if len(word) >= 2 && (word[0] == '"' || word[0] == '\'') && word[len(word)-1] == word[0] && closing(word, 0) == len(word)-1 {
		return word[1 : len(word)-1]
	}
	return word
}
