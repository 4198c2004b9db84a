// Package templatesteps bounds what the rendering of a template does: text/template knows no end of a loop that writes nothing. It knows of no component.
package templatesteps

import (
	"errors"
	"fmt"
	"sync"
	"text/template"
	"text/template/parse"
)

// ErrTooMany ends the rendering of a template that takes too many steps.
var ErrTooMany = errors.New("too many steps")

// Name is the name of the function that counts steps. Nobody has to know it.
const Name = "_step"

// Budget is what is left of the steps of one rendering: actions and texts, those of loops and of templates within counted each time. Step is to be given to the
// template as the function Name before it is parsed, and Count to be called after it.
type Budget struct {
	mu   sync.Mutex // Held while a template is rendered.
	left int
}

// Step counts the nodes of a list that is about to be rendered. It renders nothing.
func (b *Budget) Step(n int) (string, error) {
	if b.left -= n; b.left < 0 {
		return "", ErrTooMany
	}
	return "", nil
}

// Within renders by a function, with so many steps at most. No two renderings go on at the same time.
func (b *Budget) Within(steps int, render func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = steps
	return render()
}

// Count puts a call of Step before every list of nodes: the template itself, those that it defines, and the bodies of its branches.
func Count(t *template.Template) error {
	for _, part := range t.Templates() {
		if part.Tree != nil {
			if err := countList(part.Root); err != nil {
				return err
			}
		}
	}
	return nil
}

func countList(list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, n := range list.Nodes {
		var err error
		switch x := n.(type) {
		case *parse.IfNode:
			err = countBranch(&x.BranchNode)
		case *parse.WithNode:
			err = countBranch(&x.BranchNode)
		case *parse.RangeNode:
			err = countBranch(&x.BranchNode)
		}
		if err != nil {
			return err
		}
	}
	trees, err := parse.Parse("steps", fmt.Sprintf("{{%s %d}}", Name, len(list.Nodes)+1), "", "", map[string]any{Name: (*Budget)(nil).Step})
	if err != nil {
		return err
	}
	list.Nodes = append([]parse.Node{trees["steps"].Root.Nodes[0]}, list.Nodes...)
	return nil
}

func countBranch(b *parse.BranchNode) error {
	return errors.Join(countList(b.List), countList(b.ElseList))
}
