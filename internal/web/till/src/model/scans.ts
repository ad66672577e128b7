// What a scan is, as far as the page must know: the agent decides everything else.

/** No number on a receipt is as long as the shortest part of a card's code that a scanner would give. */
const shortestCode = 60;

/** isCardCode tells a card's code, also a part of one or one read with the wrong keyboard, from a number on a receipt. */
export function isCardCode(text: string): boolean {
  return text.length >= shortestCode || /^(\]Q1)?TS1/i.test(text);
}

/** putText puts a scan into the field that waits for one; it says whether there was such a field. */
export function putText(field: Element | null, text: string): boolean {
  if (!(field instanceof HTMLInputElement) || field.dataset['scan'] !== 'text') return false;
  field.value = text.slice(0, field.maxLength > 0 ? field.maxLength : undefined);
  field.dispatchEvent(new Event('input', { bubbles: true }));
  return true;
}
