/** Letters and digits that nobody takes for one another when they read them out. */
const letters = 'abcdefghjkmnpqrstuvwxyz23456789';

/** newPassword makes a password of four groups of five letters: 99 random bits. */
export function newPassword(): string {
  const out: string[] = [];
  while (out.length < 20) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) {
      // What lies above a whole number of alphabets would make some letters likelier.
      if (byte < 256 - (256 % letters.length) && out.length < 20) out.push(letters[byte % letters.length]!);
    }
  }
  return [0, 5, 10, 15].map((at) => out.slice(at, at + 5).join('')).join('-');
}
