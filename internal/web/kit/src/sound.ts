// Short tones that tell by ear what happened, made by the browser: no files to load.

type Tone = [hertz: number, from: number, until: number];

const tunes = {
  /** A code was read. */
  read: [[880, 0, 0.07]],
  /** Something was recorded. */
  done: [
    [660, 0, 0.09],
    [990, 0.09, 0.2],
  ],
  /** Something was refused. */
  refused: [
    [220, 0, 0.14],
    [165, 0.16, 0.36],
  ],
} satisfies Record<string, Tone[]>;

export type Tune = keyof typeof tunes;

const storageKey = 'tallystick-sound';
let context: AudioContext | undefined;

/** soundOn tells whether this device plays tones; it does unless somebody switched them off. */
export function soundOn(): boolean {
  return localStorage.getItem(storageKey) !== 'off';
}

export function setSound(on: boolean): void {
  localStorage.setItem(storageKey, on ? 'on' : 'off');
}

/** play plays a tune, unless sounds are off or the browser does not let us yet. */
export function play(tune: Tune): void {
  if (!soundOn() || typeof AudioContext === 'undefined') return;
  context ??= new AudioContext();
  if (context.state === 'suspended') {
    // Browsers stay silent until somebody has touched the page; nobody misses the tone.
    context.resume().catch(() => {});
    if (!navigator.userActivation?.hasBeenActive) return;
  }
  for (const [hertz, from, until] of tunes[tune]) {
    const start = context.currentTime + from;
    const end = context.currentTime + until;
    const oscillator = new OscillatorNode(context, { frequency: hertz, type: 'triangle' });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.linearRampToValueAtTime(0.25, start + 0.01);
    volume.gain.setValueAtTime(0.25, end - 0.02);
    volume.gain.linearRampToValueAtTime(0, end);
    oscillator.connect(volume).connect(context.destination);
    oscillator.start(start);
    oscillator.stop(end);
  }
}
