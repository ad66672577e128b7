// Writes the TypeScript types of both APIs from their OpenAPI documents, beside the
// client that uses them. They are built, never committed, so they cannot drift.
import { mkdir, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const root = new URL('../../../../', import.meta.url);
const out = new URL('../src/api/gen/', import.meta.url);

await mkdir(out, { recursive: true });
for (const [name, document] of [
  ['edge', 'edge/api/openapi.yaml'],
  ['hq', 'server/api/openapi.yaml'],
]) {
  const types = astToString(await openapiTS(new URL(document, root)));
  await writeFile(new URL(`${name}.d.ts`, out), types);
}
