package alertpipe

import "sync"

// Shared are the pipes of one factory. Nodes of one ID get the same configuration object, and share a pipe.
type Shared struct {
	mu    sync.Mutex
	pipes map[*Config]*Pipe
}

// Of returns the pipe of a configuration, a new one with these settings if there is none. Nothing of it runs yet: a configuration that is only
// checked never starts it. It is forgotten when all of its nodes are shut down.
func (s *Shared) Of(cfg *Config, settings func() (Settings, error)) (*Pipe, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pipe := s.pipes[cfg]; pipe != nil {
		return pipe, nil
	}
	set, err := settings()
	if err != nil {
		return nil, err
	}
	set.Gone = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.pipes, cfg)
	}
	pipe, err := New(set, cfg)
	if err != nil {
		return nil, err
	}
	if s.pipes == nil {
		s.pipes = map[*Config]*Pipe{}
	}
	s.pipes[cfg] = pipe
	return pipe, nil
}

// Len is how many there are.
func (s *Shared) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pipes)
}
