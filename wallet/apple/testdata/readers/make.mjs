// Makes passes with two libraries that are not ours, for the benchmark:
// node make.mjs DIRECTORY MILLISECONDS
// reads model.pkpass and credentials.pem (pass certificate, its issuer, …, key) there,
// makes the model again under other serial numbers for so long of the processor's time,
// leaves the last pass of each there, and prints passes per second of it as JSON.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const inside = (file) => fileURLToPath(new URL(`node_modules/${file}`, import.meta.url));
const { Template } = await import('@walletpass/pass-js');
const { readZip } = await import(inside('@walletpass/pass-js/dist/lib/zip.js'));
const { PKPass } = await import('passkit-generator');

const [directory, milliseconds] = process.argv.slice(2);
const model = await readFile(join(directory, 'model.pkpass'));
const pem = await readFile(join(directory, 'credentials.pem'), 'utf8');
const [signerCert, wwdr] = pem.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g);
const [signerKey] = pem.match(/-----BEGIN PRIVATE KEY-----[^]+?-----END PRIVATE KEY-----/);

async function passjs() {
  const template = await Template.fromBuffer(model);
  template.setCertificate(signerCert);
  template.setPrivateKey(signerKey);
  return (serialNumber) => template.createPass({ serialNumber }).asBuffer();
}

async function passkit() {
  const zip = readZip(model);
  const files = Object.fromEntries(zip.entries.map((entry) => [entry.filename, zip.getBuffer(entry)]));
  delete files['manifest.json'];
  delete files.signature;
  // It takes in no strings files in UTF-16, so the words are handed over as it wants them.
  const words = [];
  for (const [language, map] of (await Template.fromBuffer(model)).localization) words.push([language, Object.fromEntries(map)]);
  return async (serialNumber) => {
    const pass = new PKPass(files, { wwdr, signerCert, signerKey }, { serialNumber });
    for (const [language, translations] of words) pass.localize(language, translations);
    return pass.getAsBuffer();
  };
}

const spent = (since) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};

async function rate(name, make) {
  for (let warm = process.cpuUsage(); spent(warm) < milliseconds / 2;) await make('warm');
  const start = process.cpuUsage();
  let made = 0;
  let last;
  while (spent(start) < milliseconds) last = await make(`bench-${(made += 1)}`);
  const took = spent(start);
  await writeFile(join(directory, `${name}.pkpass`), last);
  return (made * 1000) / took;
}

console.log(JSON.stringify({
  pass_js: await rate('pass_js', await passjs()),
  passkit_generator: await rate('passkit_generator', await passkit()),
}));
