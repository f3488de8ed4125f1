package runtime

// WithSetting keeps value for a package that serves operations in a way of its own, which
// finds it by key ([Server.Setting]). As with context.WithValue, key has a type of that
// package. Programs call that package's options instead.
func WithSetting(key, value any) ServerOption {
	return serverOption(func(s *Server) {
		if s.settings == nil {
			s.settings = map[any]any{}
		}
		s.settings[key] = value
	})
}

// Setting returns what WithSetting kept for key, or nil. Stubs ask.
func (s *Server) Setting(key any) any { return s.settings[key] }

// Misuse makes Run report err instead of serving: an operation was registered in a way
// that cannot work. Stubs call it.
func (s *Server) Misuse(err error) { s.wrong = append(s.wrong, err) }
