// A film for Chromium's fake camera: a code held into the picture.
import { open } from 'node:fs/promises';
import encodeQR from 'qr';

const width = 640;
const height = 480;

/** film writes a Y4M file that shows `text` as a QR code, slightly off the middle. */
export async function film(path, text) {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: 4 });
  const size = Math.floor((height - 40) / modules.length);
  const grey = Buffer.alloc(width * height, 200);
  modules.forEach((row, y) =>
    row.forEach((dark, x) => {
      for (let dy = 0; dy < size; dy++) {
        const from = (20 + y * size + dy) * width + 90 + x * size;
        grey.fill(dark ? 30 : 235, from, from + size);
      }
    }),
  );
  const colour = Buffer.alloc((width * height) / 2, 128);
  const file = await open(path, 'w');
  try {
    await file.write(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`);
    for (let frame = 0; frame < 10; frame++) {
      for (const part of [Buffer.from('FRAME\n'), grey, colour]) await file.write(part);
    }
  } finally {
    await file.close();
  }
}
