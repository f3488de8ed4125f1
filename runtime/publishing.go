package runtime

// WithPublishValidation holds messages against the contract before they are published, as
// those who consume them do; unless said, only what cannot be written at all is refused. A
// message that does not hold is not sent: the error has code InvalidArgument and names each
// violation by its JSON pointer. It costs the reading of each message.
func WithPublishValidation() ConnOption {
	return connOption(func(c *Conn) { c.validatePublished = true })
}

// ValidatesPublished reports whether WithPublishValidation was given. Stubs ask.
func (c *Conn) ValidatesPublished() bool { return c.validatePublished }
