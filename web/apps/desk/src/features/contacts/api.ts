// What this feature asks the server, and what its changes make old.
import { contacts, type DoNotCallScope, type Id } from '@switchbell/api';
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

export const sourcesQuery = (list: Id) =>
  queryOptions({
    queryKey: ['lists', list, 'sources'],
    queryFn: ({ signal }) => contacts.sources(list, { signal }),
  });

export const sourceQuery = (id: Id) =>
  queryOptions({
    queryKey: ['sources', id],
    queryFn: ({ signal }) => contacts.source(id, { signal }),
  });

export const pullsQuery = (id: Id) =>
  queryOptions({
    queryKey: ['sources', id, 'pulls'],
    queryFn: ({ signal }) => contacts.pulls(id, { signal }),
  });

/** A source, its loads, or what a load changed. */
export const sourcesChanged = () =>
  Promise.all([queryClient.invalidateQueries({ queryKey: ['sources'] }), listsChanged()]);

/** Lists, their rows and their counts changed. */
export const listsChanged = () => queryClient.invalidateQueries({ queryKey: ['lists'] });

export const doNotCallQuery = (q: string | undefined, scope: DoNotCallScope | undefined) =>
  infiniteQueryOptions({
    queryKey: ['do-not-call', q ?? '', scope ?? ''],
    queryFn: ({ signal, pageParam }) =>
      contacts.doNotCallEntries({ q, scope, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

/** The do-not-call list changed, and with it the counts of lists. */
export const doNotCallChanged = () =>
  Promise.all([queryClient.invalidateQueries({ queryKey: ['do-not-call'] }), listsChanged()]);
