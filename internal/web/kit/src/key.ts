/**
 * newKey makes an idempotency key: one for each thing that is to happen once. It is not
 * crypto.randomUUID, which pages without TLS on another machine do not have.
 */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')}`;
}
