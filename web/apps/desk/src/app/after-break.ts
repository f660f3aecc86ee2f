// What happens when the live connection was lost and when it is back.
import { people } from '@switchbell/api';

import { live } from '../shared/live';
import { queryClient } from '../shared/query';
import { sessionQuery } from '../shared/session';

/**
 * A connection is also closed when the session ends or the role changes, so the session is asked
 * for: a refusal opens the dialog to sign in again. Topics bring new snapshots by themselves;
 * everything else on the screen is asked for again.
 */
export function watchBreaks(): () => void {
  let lost = false;
  return live.onStatus(() => {
    const { state } = live.getStatus();
    const back = state === 'open' && lost;
    if (state === 'lost') lost = true;
    if (state === 'lost' || back)
      people
        .stillSignedIn()
        .then((me) => queryClient.setQueryData(sessionQuery.queryKey, me))
        .catch(() => {
          // Without an answer there is nothing to know; a 401 has its own handler.
        });
    if (!back) return;
    lost = false;
    void queryClient.invalidateQueries({
      predicate: (query) => query.queryKey[0] !== sessionQuery.queryKey[0],
    });
  });
}
