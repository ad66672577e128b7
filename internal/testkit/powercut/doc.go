// Package powercut is a disk whose power can be cut: an ext4 file system on a loop
// device that is shut down in the middle of its work with the FS_IOC_SHUTDOWN
// ioctl, so that everything not synced is gone, and then mounted again.
//
// It promises that a cut is a real one for the file system (no log flush), that
// nothing stays mounted after [Disk.Close], and that mounts left by a test that was
// killed are cleaned up by the next one. It does not model torn sectors or disks
// that lie about their caches.
//
// It needs root, loop devices and mkfs.ext4; [Need] skips aloud without them.
//
// It must never import anything of the product outside its tests.
package powercut
