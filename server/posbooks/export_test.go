package posbooks

// Narrow has a file have so many rows of a day at most, and all files together twice as
// many, so that tests reach the limits.
func (s *Service) Narrow(rows int) { s.ofDay = rows }
