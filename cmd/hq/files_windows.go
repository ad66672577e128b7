package main

import "io/fs"

// openToOthers cannot be told from a mode on Windows, where the directory's own
// access list protects the file.
func openToOthers(fs.FileInfo) bool { return false }

// syncDir has no counterpart on Windows: NTFS journals new names itself.
func syncDir(string) error { return nil }
