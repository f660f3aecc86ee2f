// Whether the session ended under an open page, which then asks again without losing what is on it.
let ended = false;
const listeners = new Set<() => void>();

function change(to: boolean) {
  if (ended === to) return;
  ended = to;
  for (const listener of listeners) listener();
}

export const signedOut = {
  set: () => change(true),
  clear: () => change(false),
  get: () => ended,
  subscribe: (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
