// Reads passes with two libraries that are not ours and prints, as JSON, what each found:
// node read.mjs a.pkpass b.pkpass …
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const inside = (file) => fileURLToPath(new URL(`node_modules/${file}`, import.meta.url));
const { Template } = await import('@walletpass/pass-js');
const { readZip } = await import(inside('@walletpass/pass-js/dist/lib/zip.js'));
const { PKPass } = await import('passkit-generator');
const { PassProps } = await import(inside('passkit-generator/lib/esm/schemas/index.js'));

// pass-js unpacks the archive, checks sizes of pictures, reads strings files, and says
// whether the pass is complete.
async function passjs(bytes) {
  const template = await Template.fromBuffer(bytes);
  const pass = template.createPass({ serialNumber: template.fields.serialNumber });
  pass.validate();
  const strings = {};
  for (const [language, map] of template.localization) strings[language] = Object.fromEntries(map);
  return { style: template.style, pass: JSON.parse(JSON.stringify(pass)), images: [...template.images.keys()], strings };
}

// passkit-generator checks pass.json against its schema, unknown keys included, and takes
// the files in as a pass to be changed.
function passkit(bytes) {
  const zip = readZip(bytes);
  const files = Object.fromEntries(zip.entries.map((entry) => [entry.filename, zip.getBuffer(entry)]));
  const json = JSON.parse(files['pass.json'].toString('utf8'));
  const { error } = PassProps.validate(json, { abortEarly: false, convert: false });
  const pass = new PKPass(files, undefined, {});
  return {
    faults: error ? error.details.map((d) => d.message) : [],
    types: pass.types.map((t) => t.type),
    barcodes: pass.props.barcodes,
    files: Object.keys(files),
  };
}

async function attempt(read, bytes) {
  try {
    return await read(bytes);
  } catch (error) {
    return { fault: String(error?.stack ?? error) };
  }
}

const out = {};
for (const file of process.argv.slice(2)) {
  const bytes = await readFile(file);
  out[file] = { passjs: await attempt(passjs, bytes), passkit: await attempt(passkit, bytes) };
}
console.log(JSON.stringify(out));
