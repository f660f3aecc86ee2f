// Starts the page: who is signed in, in which language, then the router.
import '@switchbell/ui/styles.css';

import { home, whenSignedOut } from '@switchbell/api';
import { browserLanguage, isLanguage, speak } from '@switchbell/i18n';
import { createRoot } from 'react-dom/client';

import { App } from './app/App';
import { signedOut } from './app/signed-out';
import { listenForKeys } from './shared/commands';
import { queryClient } from './shared/query';
import { adopt, mayBeSignedIn, recall, sessionQuery } from './shared/session';

// A sheet of the former version may ask for a chunk that a new version no longer has.
window.addEventListener('vite:preloadError', (event) => {
  event.preventDefault();
  window.location.reload();
});

async function start() {
  const kept = recall('language');
  const asked = new URLSearchParams(window.location.search).get('lang');
  const guess = isLanguage(asked) ? asked : isLanguage(kept) ? kept : browserLanguage();
  // The pages for people without a session do not ask for one: the refusal would look like a fault.
  const outside = ['sign-in', 'setup', 'invite'].some(
    (page) => window.location.pathname === `${home.pathname}${page}`,
  );
  if (outside && !mayBeSignedIn()) queryClient.setQueryData(sessionQuery.queryKey, null);
  const [me] = await Promise.all([
    queryClient.fetchQuery({ ...sessionQuery, retry: false }).catch(() => null),
    speak(guess),
  ]);
  if (me) await adopt(me);
  whenSignedOut(signedOut.set);
  listenForKeys();
  const root = document.getElementById('root');
  if (root) createRoot(root).render(<App />);
}

void start();
