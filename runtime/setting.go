package runtime

// WithSetting keeps value for a package that calls or serves operations in a way of its own,
// which finds it by key ([Server.Setting], [Conn.Setting]). As with context.WithValue, key has a type of that
// package. Programs call that package's options instead.
func WithSetting(key, value any) Option {
	return both(func(k *common) {
		if k.settings == nil {
			k.settings = map[any]any{}
		}
		k.settings[key] = value
	})
}

// Setting returns what WithSetting kept for key, or nil. Stubs ask.
func (k *common) Setting(key any) any { return k.settings[key] }

// Misuse makes Run report err instead of serving: an operation was registered in a way
// that cannot work. Stubs call it.
func (s *Server) Misuse(err error) { s.wrong = append(s.wrong, err) }
