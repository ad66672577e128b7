package entry

// The two ways of reading, for tests that hold them against each other.
var (
	ScanEnvelope = scanEnvelope
	ReadEnvelope = readEnvelope
	ScanSums     = scanSums
	ReadSums     = readSums
)
