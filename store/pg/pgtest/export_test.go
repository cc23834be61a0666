package pgtest

// SetHome makes this process use a server of its own.
func SetHome(dir string) { home = func() string { return dir } }
