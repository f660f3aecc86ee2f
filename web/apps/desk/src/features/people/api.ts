// What this feature asks the server, and which cached parts its changes make old.
import { people } from '@switchbell/api';
import { queryOptions } from '@tanstack/react-query';

export { usersQuery } from '../../shared/lookups';

export const rolesQuery = queryOptions({
  queryKey: ['roles'],
  queryFn: ({ signal }) => people.roles({ signal }),
  staleTime: Infinity,
});

export const accountQuery = queryOptions({
  queryKey: ['account'],
  queryFn: ({ signal }) => people.account({ signal }),
});

export const sessionsQuery = queryOptions({
  queryKey: ['me', 'sessions'],
  queryFn: ({ signal }) => people.sessions({ signal }),
});
