/** Stream is an open stream of server-sent events. */
export interface Stream {
  close(): void;
}

/**
 * follow keeps a stream of server-sent events open, and opens it again with growing
 * waits when it breaks. `onOpen(false)` says that it is broken.
 */
export function follow(
  url: string,
  handlers: Record<string, (data: unknown) => void>,
  onOpen: (open: boolean) => void = () => {},
): Stream {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = 500;
  const open = () => {
    source = new EventSource(url);
    source.onopen = () => {
      wait = 500;
      onOpen(true);
    };
    source.onerror = () => {
      source?.close();
      onOpen(false);
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 8_000);
    };
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent<string>).data)));
    }
  };
  open();
  return {
    close() {
      clearTimeout(timer);
      source?.close();
    },
  };
}
