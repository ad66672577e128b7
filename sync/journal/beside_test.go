package journal

import (
	"context"
	"encoding/binary"
	"testing"
)

// beside is a disk on which something happens just before a file is first opened.
type beside struct {
	*simDisk
	name string
	do   func()
}

func (b *beside) Open(name string, write bool) (File, error) {
	if name == b.name && b.do != nil {
		do := b.do
		b.do = nil
		do()
	}
	return b.simDisk.Open(name, write)
}

// TestReadOnlyBesideAWriter checks that a writer at work does not look like damage.
func TestReadOnlyBesideAWriter(t *testing.T) {
	ctx := context.Background()
	for name, do := range map[string]func(*Journal){
		"going on to the next segment": func(j *Journal) { fill(t, j, 80) },
		"pruning": func(j *Journal) {
			fill(t, j, 200)
			if err := j.Prune(ctx, 250); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newSimDisk()
			j := openSim(t, d, 4096)
			fill(t, j, 100)
			settle(j)
			last := j.segments[len(j.segments)-1].header.index
			r, err := OpenReadOnly(ctx, "", WithFS(&beside{d, segmentName(last + 1), func() { do(j) }}))
			if err != nil || r.Damage() != nil || r.Head() != j.Head() {
				t.Fatalf("beside a writer: %v, %+v", err, r)
			}
			mustClose(t, j)
			d.Files[segmentName(j.segments[0].header.index)].Data[headerSize+200] ^= 1
			r, err = OpenReadOnly(ctx, "", WithFS(d))
			if err == nil && r.Damage() == nil {
				t.Error("damage was not seen")
			}
		})
	}
}

// TestBytesBehindTheStatedSize checks that they are neither read nor able to end the
// process, whatever they are.
func TestBytesBehindTheStatedSize(t *testing.T) {
	d := newSimDisk()
	j := openSim(t, d, 4096)
	want := fill(t, j, 3)
	mustClose(t, j)
	n := d.Files[segmentName(1)]
	n.Data = append(n.Data, "garbage"...)
	j = openSim(t, d, 4096)
	if r := j.Report(); r.CutSegment != 0 {
		t.Errorf("cut: %+v", r)
	}
	checkHolds(t, &j.shelf, 1, want)
	mustClose(t, j)

	d = newSimDisk()
	j = openSim(t, d, 8192)
	fill(t, j, 100)
	mustClose(t, j)
	seg := d.Files[segmentName(1)].Data
	binary.BigEndian.PutUint32(seg[12:], 4096)
	fixHeaderSum(seg)
	if _, err := Open(context.Background(), "", testWriter, WithFS(d), WithSegmentSize(8192)); !isDamage(err) {
		t.Errorf("with the head file: %v", err)
	}
	delete(d.Files, headName)
	j, err := Open(context.Background(), "", testWriter, WithFS(d), WithSegmentSize(8192))
	if err != nil {
		t.Fatal(err)
	}
	pos := mustAppend(t, j, []byte("new"))
	mustClose(t, j)
	if j = openSim(t, d, 8192); j.Head() != pos {
		t.Errorf("head %v, want %v", j.Head(), pos)
	}
	mustClose(t, j)
}
