// A Vite plugin that draws the mark as PNG: iOS takes no SVG for its home screen.
import { deflateSync, crc32 } from 'node:zlib';
import type { Plugin } from 'vite';

// The mark as in public/mark.svg, in a box of 32: its lines and half their width.
const lines = [
  [9, 8, 9, 24],
  [14, 8, 14, 24],
  [19, 8, 19, 24],
  [24, 8, 24, 24],
  [6, 21, 27, 11],
] as const;
const half = 1.2;
const ground = [0x14, 0x59, 0x4a] as const;
const ink = [0xfb, 0xf7, 0xee] as const;

/** away is how far a place of the box is from the nearest line of the mark. */
function away(x: number, y: number): number {
  let nearest = Infinity;
  for (const [ax, ay, bx, by] of lines) {
    const dx = bx - ax;
    const dy = by - ay;
    const t = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
    nearest = Math.min(nearest, Math.hypot(x - ax - t * dx, y - ay - t * dy));
  }
  return nearest;
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** markPNG draws the mark on its ground, to the edges: phones round the corners themselves. */
export function markPNG(size: number): Buffer {
  const rows = Buffer.alloc(size * (1 + size * 3)); // each row begins with filter 0
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      // A pixel on the edge is covered as far as its middle is inside.
      const inside = ((half - away(((x + 0.5) * 32) / size, ((y + 0.5) * 32) / size)) * size) / 32;
      const share = Math.min(1, Math.max(0, inside + 0.5));
      const at = y * (1 + size * 3) + 1 + x * 3;
      for (let c = 0; c < 3; c++) rows[at + c] = Math.round(ground[c]! + (ink[c]! - ground[c]!) * share);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 2], 8); // eight bits, RGB
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** icons adds icon-180.png for iOS, and the sizes that the manifest names, to the build of an app. */
export function icons(app: string): Plugin {
  return {
    name: 'tallystick-icons',
    apply: 'build',
    generateBundle() {
      for (const size of [180, 192, 512]) {
        this.emitFile({ type: 'asset', fileName: `icon-${size}.png`, source: markPNG(size) });
      }
    },
    transformIndexHtml: () => [
      { tag: 'link', attrs: { rel: 'apple-touch-icon', href: `/${app}/icon-180.png` }, injectTo: 'head' },
    ],
  };
}
