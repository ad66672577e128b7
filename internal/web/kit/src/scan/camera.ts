// Reading codes with the camera. The decoder (zxing, WebAssembly, served by us) is
// loaded when somebody first asks for it; a browser's own decoder is used if it has one.

/** How often a picture is looked at, in milliseconds: often enough to feel instant, with time left for the page. */
const period = 120;

/** What went wrong with the camera, for the page to say. */
export type CameraError = 'denied' | 'none' | 'busy' | 'failed';

type Decode = (frame: ImageData) => Promise<string | undefined>;

interface NativeDetector {
  detect(source: ImageData): Promise<{ rawValue: string }[]>;
}
interface NativeDetectorClass {
  new (options: { formats: string[] }): NativeDetector;
  getSupportedFormats(): Promise<string[]>;
}

async function nativeDecoder(): Promise<Decode | undefined> {
  const detectors = (globalThis as { BarcodeDetector?: NativeDetectorClass }).BarcodeDetector;
  if (!detectors || !(await detectors.getSupportedFormats()).includes('qr_code')) return undefined;
  const detector = new detectors({ formats: ['qr_code'] });
  return async (frame) => (await detector.detect(frame))[0]?.rawValue;
}

async function ownDecoder(): Promise<Decode> {
  const [{ prepareZXingModule, readBarcodes }, { default: wasm }] = await Promise.all([
    import('zxing-wasm/reader'),
    import('zxing-wasm/reader/zxing_reader.wasm?url'),
  ]);
  await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  return async (frame) =>
    (await readBarcodes(frame, { formats: ['QRCode'], tryHarder: true, maxNumberOfSymbols: 1 }))[0]?.text;
}

function errorOf(err: unknown): CameraError {
  const name = err instanceof DOMException ? err.name : '';
  if (name === 'NotAllowedError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'none';
  if (name === 'NotReadableError') return 'busy';
  return 'failed';
}

/**
 * readCamera shows the camera in `video` and resolves with the first code it reads, or
 * with what went wrong. It ends the camera when it is done or when `signal` ends, and
 * then resolves with undefined.
 */
export async function readCamera(
  video: HTMLVideoElement,
  signal: AbortSignal,
): Promise<{ text: string } | { error: CameraError } | undefined> {
  let stream: MediaStream | undefined;
  try {
    if (!navigator.mediaDevices) return { error: 'none' };
    const [camera, decode] = await Promise.all([
      navigator.mediaDevices.getUserMedia({
        video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } },
      }),
      nativeDecoder().then((native) => native ?? ownDecoder()),
    ]);
    stream = camera;
    video.srcObject = stream;
    await video.play();
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    while (!signal.aborted) {
      if (video.videoWidth > 0) {
        canvas.width = video.videoWidth;
        canvas.height = video.videoHeight;
        context.drawImage(video, 0, 0);
        const text = await decode(context.getImageData(0, 0, canvas.width, canvas.height));
        if (text && !signal.aborted) return { text };
      }
      await new Promise((resolve) => setTimeout(resolve, period));
    }
    return undefined;
  } catch (err) {
    return signal.aborted ? undefined : { error: errorOf(err) };
  } finally {
    stream?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  }
}
