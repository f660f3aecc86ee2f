// Small collections that several features read: lines, recordings to play, contact lists, people.
import { contacts, people, presets, voice } from '@switchbell/api';
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

export const calendarsQuery = queryOptions({
  queryKey: ['calendars'],
  queryFn: ({ signal }) => presets.calendars({ signal }),
});

export const attemptRulesQuery = queryOptions({
  queryKey: ['attempt-rules'],
  queryFn: ({ signal }) => presets.rules({ signal }),
});

export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: ({ signal }) => people.users({ signal }),
});
