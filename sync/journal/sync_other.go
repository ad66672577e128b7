//go:build !linux

package journal

import "os"

// syncData flushes f: FlushFileBuffers on Windows, F_FULLFSYNC on macOS.
func syncData(f *os.File) error { return f.Sync() }
