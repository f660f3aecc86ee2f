// Campaigns with what the live topics say about them.
import {
  campaigns,
  type AttemptFilter,
  type Campaign,
  type CampaignFilter,
  type CampaignsTopic,
  type CampaignTopic,
  type Id,
  type TimelineSpan,
} from '@switchbell/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { useTopic } from '../../shared/live';
import { queryClient } from '../../shared/query';

export const campaignsQuery = (filter: CampaignFilter) =>
  infiniteQueryOptions({
    queryKey: ['campaigns', 'list', filter],
    queryFn: ({ signal, pageParam }) =>
      campaigns.list({ ...filter, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

export const campaignQuery = (id: Id) =>
  queryOptions({
    queryKey: ['campaigns', 'one', id],
    queryFn: ({ signal }) => campaigns.get(id, { signal }),
  });

export const checkQuery = (id: Id) =>
  queryOptions({
    queryKey: ['campaigns', 'check', id],
    queryFn: ({ signal }) => campaigns.check(id, { signal }),
    staleTime: 0,
    gcTime: 0,
  });

export const runAgainQuery = (id: Id) =>
  queryOptions({
    queryKey: ['campaigns', 'again', id],
    queryFn: ({ signal }) => campaigns.runAgainCounts(id, { signal }),
    staleTime: 0,
  });

/** Takes seconds for a big campaign; the server reckons one at a time. */
export const rehearsalQuery = (id: Id) =>
  queryOptions({
    queryKey: ['campaigns', 'rehearsal', id],
    queryFn: ({ signal }) => campaigns.rehearsal(id, { signal }),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });

export const campaignContactsQuery = (
  id: Id,
  filter: { state?: string | undefined; outcome?: string | undefined; q?: string | undefined },
) =>
  infiniteQueryOptions({
    queryKey: ['campaigns', 'contacts', id, filter],
    queryFn: ({ signal, pageParam }) =>
      campaigns.contacts(id, { ...filter, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

export const campaignContactQuery = (id: Id, contact: Id) =>
  queryOptions({
    queryKey: ['campaigns', 'contacts', id, 'one', contact],
    queryFn: ({ signal }) => campaigns.contact(id, contact, { signal }),
  });

export const timelineQuery = (id: Id, span: TimelineSpan) =>
  queryOptions({
    queryKey: ['campaigns', 'timeline', id, span],
    queryFn: ({ signal }) => campaigns.timeline(id, span, { signal }),
    staleTime: 2_000,
  });

export const exportsQuery = (id: Id) =>
  queryOptions({
    queryKey: ['campaigns', 'exports', id],
    queryFn: ({ signal }) => campaigns.exports(id, { signal }),
    staleTime: 0,
  });

export const weekQuery = (id: Id) =>
  queryOptions({
    queryKey: ['campaigns', 'week', id],
    queryFn: ({ signal }) => campaigns.week(id, { signal }),
    staleTime: 30_000,
  });

export const attemptsQuery = (id: Id, filter: AttemptFilter) =>
  infiniteQueryOptions({
    queryKey: ['campaigns', 'attempts', id, filter],
    queryFn: ({ signal, pageParam }) =>
      campaigns.attempts(id, { ...filter, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

/** A command or an edit answered with the campaign as it now is. */
export function keepCampaign(campaign: Campaign): void {
  queryClient.setQueryData(campaignQuery(campaign.id).queryKey, campaign);
  void queryClient.invalidateQueries({ queryKey: ['campaigns', 'list'] });
}

/** Lays the newest state and counters over campaigns that were read earlier. */
export function useFreshCampaigns(): {
  fresh: (campaign: Campaign) => Campaign;
  ids: string[];
} {
  const topic = useTopic<CampaignsTopic>('campaigns');
  const rows = topic?.campaigns ?? {};
  return {
    fresh: (campaign) => ({ ...campaign, ...rows[campaign.id] }),
    ids: Object.keys(rows),
  };
}

export function useCampaignTopic(id: Id): CampaignTopic | undefined {
  return useTopic<CampaignTopic>(`campaign:${id}:live`);
}
