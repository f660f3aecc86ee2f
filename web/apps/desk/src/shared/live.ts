// The one live connection, as hooks.
import { Live } from '@switchbell/api';
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';

export const live = new Live();

/** The present value of a topic; undefined until the first snapshot. */
export function useTopic<T>(name: string | null): T | undefined {
  const subscribe = useCallback(
    (listener: () => void) => (name === null ? () => {} : live.subscribe(name, listener)),
    [name],
  );
  return useSyncExternalStore(subscribe, () =>
    name === null ? undefined : (live.value(name) as T | undefined),
  );
}

/** Runs when a topic moves on, not for its first snapshot. */
export function useTopicChange(name: string | null, changed: () => void): void {
  const latest = useRef(changed);
  latest.current = changed;
  useEffect(() => {
    if (name === null) return undefined;
    let before = live.value(name);
    return live.subscribe(name, () => {
      const now = live.value(name);
      if (before !== undefined && now !== before) latest.current();
      before = now;
    });
  }, [name]);
}

export const useLiveStatus = () => useSyncExternalStore(live.onStatus, live.getStatus);

/** The present moment, again every `period` milliseconds. */
export function useNow(period = 1_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), period);
    return () => window.clearInterval(timer);
  }, [period]);
  return now;
}
