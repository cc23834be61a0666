package online

// Looking returns a service that sorts no more than gather records for a page
// and looks at no more than walk.
func (s *Service) Looking(gather, walk int) *Service {
	other := *s
	other.gather, other.walk = gather, walk
	return &other
}
