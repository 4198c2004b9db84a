package alertorigin

import (
	"maps"
	"slices"
	"sync"
)

// resolves are the components of this process that have to be told of the end of alerts.
var resolves struct {
	mu     sync.Mutex
	needed map[string]int
}

// NeedResolves says that a component, which name is for people, needs records of the end of alerts: what it told somebody would otherwise stay for ever.
// Whoever makes records asks NeededResolves. The function that it returns is for the component's shutdown.
func NeedResolves(name string) (done func()) {
	resolves.mu.Lock()
	defer resolves.mu.Unlock()
	if resolves.needed == nil {
		resolves.needed = map[string]int{}
	}
	resolves.needed[name]++
	return sync.OnceFunc(func() {
		resolves.mu.Lock()
		defer resolves.mu.Unlock()
		if resolves.needed[name]--; resolves.needed[name] == 0 {
			delete(resolves.needed, name)
		}
	})
}

// NeededResolves are the names of the components that need records of the end of alerts, sorted.
func NeededResolves() []string {
	resolves.mu.Lock()
	defer resolves.mu.Unlock()
	return slices.Sorted(maps.Keys(resolves.needed))
}
