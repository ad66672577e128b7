package doctor

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/wallet/brand"
)

// size is a picture's box in points; a picture may be narrower where it says so.
type size struct {
	width, height int
	most          bool // the box is the most, not the very size
	needed        bool
}

// sizes are Apple's for a storeCard, in points (documentation/walletpasses, Human
// Interface Guidelines).
var sizes = map[string]size{
	"icon":  {29, 29, false, true},
	"logo":  {160, 50, true, false},
	"strip": {375, 144, false, false},
}

// scales by the suffix of a file's name.
var scales = map[string]int{"": 1, "@2x": 2, "@3x": 3}

// Images looks at the pictures of an Apple pass: each needed at three scales, of Apple's
// sizes.
func Images(images []brand.Image) []Finding {
	have := map[string]brand.Image{}
	for _, i := range images {
		have[i.Name] = i
	}
	var out []Finding
	for _, name := range []string{"icon", "logo", "strip"} {
		s, some := sizes[name], false
		var missing []string
		for _, suffix := range []string{"", "@2x", "@3x"} {
			file := name + suffix + ".png"
			i, found := have[file]
			if !found {
				missing = append(missing, file)
				continue
			}
			some = true
			if wrong := s.wrong(i, scales[suffix]); wrong != "" {
				out = append(out, find(Pictures, Warn, "%s is %s", file, wrong))
			}
		}
		switch {
		case len(missing) > 0 && s.needed:
			out = append(out, find(Pictures, Error, "missing: %s", strings.Join(missing, ", ")))
		case len(missing) > 0 && some:
			out = append(out, find(Pictures, Warn, "missing: %s", strings.Join(missing, ", ")))
		}
	}
	if len(out) == 0 {
		out = append(out, find(Pictures, OK, "%d pictures of the right sizes, at all scales", len(images)))
	}
	return out
}

func (s size) wrong(i brand.Image, scale int) string {
	width, height := s.width*scale, s.height*scale
	switch {
	case s.most && (i.Width > width || i.Height > height):
		return fmt.Sprintf("%dx%d, at most %dx%d are shown", i.Width, i.Height, width, height)
	case !s.most && (i.Width != width || i.Height != height):
		return fmt.Sprintf("%dx%d, it must be %dx%d", i.Width, i.Height, width, height)
	}
	return ""
}
