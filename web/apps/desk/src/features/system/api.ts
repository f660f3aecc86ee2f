// What this feature asks the server.
import {
  system,
  type AuditFilter,
  type BackgroundJob,
  type JobsTopic,
  type JobState,
} from '@switchbell/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { useTopic } from '../../shared/live';
import { queryClient } from '../../shared/query';

export const jobsQuery = (state: JobState | undefined) =>
  infiniteQueryOptions({
    queryKey: ['jobs', 'list', state ?? ''],
    queryFn: ({ signal, pageParam }) => system.jobs({ state, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

export const schedulesQuery = infiniteQueryOptions({
  queryKey: ['jobs', 'schedules'],
  queryFn: ({ signal, pageParam }) => system.schedules({ cursor: pageParam }, { signal }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});

export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter],
    queryFn: ({ signal, pageParam }) => system.audit({ ...filter, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    staleTime: 0,
  });

export const auditRetentionQuery = queryOptions({
  queryKey: ['audit-retention'],
  queryFn: ({ signal }) => system.auditRetention({ signal }),
});

/** A job was begun, hurried or stopped. */
export const jobsChanged = () => queryClient.invalidateQueries({ queryKey: ['jobs'] });

/** Lays the newest state over jobs that were read earlier, and tells which states there are. */
export function useFreshJobs(): {
  fresh: (job: BackgroundJob) => BackgroundJob;
  /** Changes when a job was added or moved from state to state. */
  moves: string;
} {
  const rows = useTopic<JobsTopic>('jobs')?.jobs ?? {};
  return {
    fresh: (job) => {
      const now = rows[job.id];
      // A topic leaves out what is null, so the newer row replaces the older one whole.
      return now ?? job;
    },
    moves: Object.values(rows)
      .map((job) => `${job.id}:${job.state}`)
      .join(),
  };
}
