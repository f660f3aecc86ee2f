// Who is signed in, and what they may do.
import { people, Problem, type Me, type Permission, type Theme } from '@switchbell/api';
import { setPlace, speak } from '@switchbell/i18n';
import { queryOptions, useQuery } from '@tanstack/react-query';

import { queryClient } from './query';

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<Me | null> => {
    try {
      return await people.session({ signal });
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        remember('signed', 'no');
        return null;
      }
      throw error;
    }
  },
  staleTime: Infinity,
});

/** Whether this browser may hold a session. The cookie itself cannot be seen from here. */
export const mayBeSignedIn = () => recall('signed') === 'yes';

/** Shows the page in the words, zone and phone formats of the person who is signed in. */
export async function adopt(me: Me): Promise<void> {
  setPlace({ zone: me.user.time_zone ?? me.account.time_zone, country: me.account.country });
  remember('language', me.user.language);
  remember('theme', me.user.theme);
  remember('signed', 'yes');
  await speak(me.user.language);
  queryClient.setQueryData(sessionQuery.queryKey, me);
}

type Remembered = 'language' | 'theme' | 'rail' | 'signed';

/** Only for the pages before sign-in; storage may be forbidden. */
export function remember(key: Remembered, value: string): void {
  try {
    localStorage.setItem(`switchbell.${key}`, value);
  } catch {
    // A browser without storage forgets; nothing depends on it.
  }
}

export function recall(key: Remembered): string | null {
  try {
    return localStorage.getItem(`switchbell.${key}`);
  } catch {
    return null;
  }
}

export function useMe(): Me {
  const { data } = useQuery(sessionQuery);
  if (!data) throw new Error('This screen needs somebody signed in.');
  return data;
}

export function useCan(): (permission: Permission) => boolean {
  const { permissions } = useMe();
  return (permission) => permissions.includes(permission);
}

/** Shown at once, taken back when the server refuses. */
export async function changeTheme(theme: Theme): Promise<void> {
  const before = queryClient.getQueryData(sessionQuery.queryKey);
  if (!before) return;
  const after: Me = { ...before, user: { ...before.user, theme } };
  queryClient.setQueryData(sessionQuery.queryKey, after);
  try {
    await people.changeMe({ theme });
    remember('theme', theme);
  } catch (error) {
    queryClient.setQueryData(sessionQuery.queryKey, before);
    throw error;
  }
}
