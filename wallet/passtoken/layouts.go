package passtoken

// Repair says what had to be done to a scanned text before it verified. It is
// worth showing to whoever sets up scanners; it never changes what the code is
// worth. Cutting off white space and an AIM prefix is normal and not a repair.
type Repair string

// The repairs, in the order in which they are tried. A scanner in keyboard mode
// sends key positions, and the computer turns them into characters; when the two
// have different layouts the text is scrambled, always in the same way.
const (
	RepairNone       Repair = ""
	RepairCase       Repair = "case"             // Caps Lock
	RepairShift      Repair = "us_shift"         // US keyboard, Shift or Shift Lock held
	RepairAZERTY     Repair = "azerty"           // French computer, US scanner
	RepairAZERTYMac  Repair = "azerty_mac"       // French on a Mac, Belgian
	RepairAZERTYScan Repair = "azerty_scanner"   // US computer, French scanner
	RepairQWERTZ     Repair = "qwertz"           // German, Austrian, Swiss
	RepairCzech      Repair = "qwertz_czech"     // Czech
	RepairSlovak     Repair = "qwertz_slovak"    // Slovak
	RepairHungarian  Repair = "qwertz_hungarian" // Hungarian
	RepairTurkishQ   Repair = "turkish_q"        // Turkish Q, Shift held
)

// usKeys names the keys that a scanner presses for our characters, by their US
// legend. It holds all letters, since an AIM identifier may have any.
const usKeys = "1234567890QWERTYUIOPASDFGHJKLZXCVBNM"

// layouts holds, for each repair, rows of what the keys of usKeys produce, one
// character a key. Rows of one layout differ by Shift and Caps Lock. Within one
// layout no character comes from two keys, so undoing is never ambiguous.
var layouts = []layout{
	newLayout(RepairNone,
		"1234567890QWERTYUIOPASDFGHJKLZXCVBNM",
		"1234567890qwertyuiopasdfghjklzxcvbnm"),
	newLayout(RepairShift,
		"1234567890qwertyuiopasdfghjklzxcvbnm",
		"!@#$%^&*()QWERTYUIOPASDFGHJKLZXCVBNM"),
	newLayout(RepairAZERTY,
		`&é"'(-è_çàazertyuiopqsdfghjklwxcvbn,`,
		`1234567890AZERTYUIOPQSDFGHJKLWXCVBN?`,
		`&É"'(-È_ÇÀazertyuiopqsdfghjklwxcvbn,`),
	newLayout(RepairAZERTYMac,
		`&é"'(§è!çàazertyuiopqsdfghjklwxcvbn,`,
		`1234567890AZERTYUIOPQSDFGHJKLWXCVBN?`,
		`&É"'(§È!ÇÀazertyuiopqsdfghjklwxcvbn,`),
	newLayout(RepairAZERTYScan,
		`!@#$%^&*()azertyuiopqsdfghjklwxcvbn:`,
		`1234567890AZERTYUIOPQSDFGHJKLWXCVBN;`),
	newLayout(RepairQWERTZ,
		`1234567890qwertzuiopasdfghjklyxcvbnm`,
		`!"§$%&/()=QWERTZUIOPASDFGHJKLYXCVBNM`),
	newLayout(RepairCzech,
		`+ěščřžýáíéqwertzuiopasdfghjklyxcvbnm`,
		`1234567890QWERTZUIOPASDFGHJKLYXCVBNM`,
		`+ĚŠČŘŽÝÁÍÉQWERTZUIOPASDFGHJKLYXCVBNM`),
	newLayout(RepairSlovak,
		`+ľščťžýáíéqwertzuiopasdfghjklyxcvbnm`,
		`1234567890QWERTZUIOPASDFGHJKLYXCVBNM`,
		`+ĽŠČŤŽÝÁÍÉQWERTZUIOPASDFGHJKLYXCVBNM`),
	newLayout(RepairHungarian,
		`123456789öqwertzuiopasdfghjklyxcvbnm`,
		`'"+!%/=()ÖQWERTZUIOPASDFGHJKLYXCVBNM`),
	newLayout(RepairTurkishQ,
		`1234567890qwertyuıopasdfghjklzxcvbnm`,
		`!'^+%&/()=QWERTYUIOPASDFGHJKLZXCVBNM`),
}

// layout undoes one way of scrambling.
type layout struct {
	repair Repair
	keyOf  map[rune]byte
}

func newLayout(repair Repair, rows ...string) layout {
	l := layout{repair: repair, keyOf: make(map[rune]byte, len(rows)*len(usKeys))}
	for _, row := range rows {
		key := 0
		for _, r := range row {
			l.keyOf[r] = usKeys[key]
			key++
		}
	}
	return l
}

// undo returns the text that was on the pass if this layout scrambled it, or false
// when the layout has no key for one of the characters. The AIM identifier a
// scanner may put in front (ISO/IEC 15424: a flag and two characters, "]Q1" for
// QR) is cut off; the flag is the one character looked at only by place, because
// every layout has another character on the key of "]".
func (l layout) undo(runes []rune) (string, bool) {
	if len(runes) >= 2*aimLen {
		if head, ok := l.keysOf(runes[aimLen : 2*aimLen]); ok && head == prefix {
			if _, ok := l.keysOf(runes[1:aimLen]); ok && !l.startsWithPrefix(runes) {
				runes = runes[aimLen:]
			}
		}
	}
	return l.keysOf(runes)
}

// aimLen is the length of an AIM identifier, and of our prefix too.
const aimLen = len(prefix)

func (l layout) startsWithPrefix(runes []rune) bool {
	head, ok := l.keysOf(runes[:aimLen])
	return ok && head == prefix
}

func (l layout) keysOf(runes []rune) (string, bool) {
	out := make([]byte, len(runes))
	for i, r := range runes {
		key, ok := l.keyOf[r]
		if !ok {
			return "", false
		}
		out[i] = key
	}
	return string(out), true
}
