// The one-time token of a link: it stands in the fragment, which no server and no log ever sees.
import { useState } from 'react';

/** Reads `#token` (or `#token=…`) once and takes it out of the address bar. */
export function useFragmentToken(): string {
  const [token] = useState(() => {
    const found = window.location.hash.slice(1).replace(/^token=/, '');
    if (found)
      window.history.replaceState(
        window.history.state,
        '',
        window.location.pathname + window.location.search,
      );
    return decodeURIComponent(found);
  });
  return token;
}
