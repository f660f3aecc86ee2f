// What this feature asks the server, and what its changes make old.
import { contacts, type Id } from '@switchbell/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { queryClient } from '../../shared/query';

export const listQuery = (id: Id) =>
  queryOptions({
    queryKey: ['lists', id],
    queryFn: ({ signal }) => contacts.list(id, { signal }),
  });

export const listContactsQuery = (id: Id, q: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['lists', id, 'contacts', q ?? ''],
    queryFn: ({ signal, pageParam }) => contacts.contacts(id, { q, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

export const importsQuery = (id: Id) =>
  queryOptions({
    queryKey: ['lists', id, 'imports'],
    queryFn: ({ signal }) => contacts.imports(id, { signal }),
  });

export const importQuery = (id: Id) =>
  queryOptions({
    queryKey: ['imports', id],
    queryFn: ({ signal }) => contacts.import(id, { signal }),
  });

/** Lists, their rows and their counts changed. */
export const listsChanged = () => queryClient.invalidateQueries({ queryKey: ['lists'] });
