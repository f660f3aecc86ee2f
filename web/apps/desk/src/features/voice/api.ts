// Lines with what the live topic says about them.
import { voice, type Id, type Line, type LinesTopic } from '@switchbell/api';
import { queryOptions } from '@tanstack/react-query';

import { useTopic } from '../../shared/live';
import { linesQuery } from '../../shared/lookups';
import { queryClient } from '../../shared/query';

export const lineQuery = (id: Id) =>
  queryOptions({
    queryKey: ['lines', id],
    queryFn: ({ signal }) => voice.line(id, { signal }),
  });

export const linesChanged = () => queryClient.invalidateQueries({ queryKey: linesQuery.queryKey });

/** Lays the newest health and use over lines that were read earlier. */
export function useFreshLines(): (line: Line) => Line {
  const topic = useTopic<LinesTopic>('lines');
  return (line) => ({ ...line, ...topic?.[line.id] });
}

export const retentionQuery = queryOptions({
  queryKey: ['recordings', 'retention'],
  queryFn: ({ signal }) => voice.retention({ signal }),
});
