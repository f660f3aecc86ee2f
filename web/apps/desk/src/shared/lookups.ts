// Small collections that several features read: lines, recordings to play, contact lists.
import { contacts, voice } from '@switchbell/api';
import { queryOptions } from '@tanstack/react-query';

export const linesQuery = queryOptions({
  queryKey: ['lines'],
  queryFn: ({ signal }) => voice.lines({ signal }),
});

export const audioQuery = queryOptions({
  queryKey: ['audio'],
  queryFn: ({ signal }) => voice.audio({ signal }),
});

export const listsQuery = queryOptions({
  queryKey: ['lists'],
  queryFn: ({ signal }) => contacts.lists({ signal }),
});
