package pass

// For the tests of what phones send.
var (
	TagText = tagText
	ReadTag = readTag
)
