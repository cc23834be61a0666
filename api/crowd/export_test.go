package crowd

// Places is how many devices' places are kept.
func (c *Class) Places() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.places)
}
