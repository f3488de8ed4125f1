package generator

func (s *service) reserveMessage(op *operation) {}
func (s *service) event(op *operation)          {}
