// Calls over time, and the hours of the week at which people answer.
import type { Campaign, CampaignTopic, Outcome, Timeline, TimelineSpan } from '@switchbell/api';
import { fmt, useTranslation, type TFunction } from '@switchbell/i18n';
import {
  DataTable,
  Empty,
  FailureBox,
  HeatGrid,
  Loading,
  Panel,
  SegmentedControl,
  TimeBars,
  useChartView,
  type Column,
  type Series,
  type Step,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { ChartColumn, Grid3x3 } from 'lucide-react';
import { useEffect, useRef } from 'react';

import { queryClient } from '../../shared/query';
import { timelineQuery, weekQuery } from './api';
import { outcomes } from './badges';
import css from './LiveTab.module.css';

const spans: readonly TimelineSpan[] = ['hour', 'day', 'week', 'all'];

/** Eleven results are too many for one look: what they have in common. */
const groups: readonly { id: string; series: Omit<Series, 'label'>; of: readonly Outcome[] }[] = [
  { id: 'success', series: { id: 'success', tone: 'ok' }, of: ['success'] },
  {
    id: 'answered',
    series: { id: 'answered', tone: 'warn', pattern: 'stripes' },
    of: ['short_talk', 'machine', 'abandoned_no_agent'],
  },
  {
    id: 'not_reached',
    series: { id: 'not_reached', tone: 'neutral' },
    of: ['no_answer', 'busy', 'cancelled', 'interrupted'],
  },
  {
    id: 'failed',
    series: { id: 'failed', tone: 'danger', pattern: 'dots' },
    of: ['rejected', 'failed', 'invalid_number'],
  },
];

const groupWords = (id: string, t: TFunction) => t(`campaigns.groups.${id as 'success'}`);

function momentWords(at: string, timeline: Timeline): { tick: string; label: string } {
  const zone = timeline.time_zone;
  if (timeline.step_s >= 86_400)
    return { tick: fmt.date(at, 'short', zone), label: fmt.date(at, 'long', zone) };
  return { tick: fmt.time(at, { zone }), label: fmt.dateTime(at, zone) };
}

/** Read again when results come in, at most every two seconds. */
function useRefreshWithResults(campaign: Campaign, topic: CampaignTopic | undefined): void {
  const face = JSON.stringify(topic?.results);
  const first = useRef<string | undefined>(undefined);
  useEffect(() => {
    const before = first.current;
    first.current = face;
    if (before === undefined || before === face) return undefined;
    const timer = window.setTimeout(
      () =>
        void queryClient.invalidateQueries({ queryKey: ['campaigns', 'timeline', campaign.id] }),
      2_000,
    );
    return () => window.clearTimeout(timer);
  }, [face, campaign.id]);
}

export function Charts({
  campaign,
  topic,
}: {
  campaign: Campaign;
  topic: CampaignTopic | undefined;
}) {
  return (
    <div className={css.charts}>
      <TimelinePanel campaign={campaign} topic={topic} />
      <WeekPanel campaign={campaign} />
    </div>
  );
}

type Row = Timeline['points'][number];

function TimelinePanel({
  campaign,
  topic,
}: {
  campaign: Campaign;
  topic: CampaignTopic | undefined;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const search = useSearch({ strict: false });
  const running = campaign.state === 'running' || campaign.state === 'paused';
  const span = spans.find((entry) => entry === search.span) ?? (running ? 'hour' : 'all');
  const found = useQuery({
    ...timelineQuery(campaign.id, span),
    // The present minute moves on by itself.
    refetchInterval: running ? 30_000 : false,
  });
  useRefreshWithResults(campaign, topic);
  const { view, choice } = useChartView();
  const timeline = found.data;
  const calls = (point: Row) =>
    Object.values(point.outcomes).reduce((sum, value) => sum + value, 0);
  const total = timeline?.points.reduce((sum, point) => sum + calls(point), 0) ?? 0;
  const answered = timeline?.points.reduce((sum, point) => sum + point.answered, 0) ?? 0;
  return (
    <Panel
      title={t('campaigns.timeline')}
      hint={timeline && t('campaigns.in_zone', { zone: timeline.time_zone })}
      actions={
        <>
          <SegmentedControl
            size="xs"
            aria-label={t('campaigns.span')}
            value={span}
            data={spans.map((entry) => ({ value: entry, label: t(`campaigns.spans.${entry}`) }))}
            onChange={(value) =>
              void navigate({
                to: '/campaigns/$id/$tab',
                params: { id: campaign.id, tab: 'live' },
                search: { span: value },
                replace: true,
              })
            }
          />
          {choice}
        </>
      }
    >
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Loading rows={3} what={t('common.loading')} />}
      {timeline && total === 0 && (
        <Empty compact icon={<ChartColumn size={22} />} title={t('campaigns.no_calls_then')} />
      )}
      {timeline && total > 0 && view === 'chart' && (
        <TimeBars
          title={t('campaigns.timeline')}
          summary={t('campaigns.timeline_summary', {
            count: total,
            answered: fmt.number(answered),
            part: fmt.percent(answered / total),
          })}
          series={groups.map(({ id, series }) => ({ ...series, label: groupWords(id, t) }))}
          steps={timeline.points.map((point): Step => ({
            key: point.at ?? '',
            ...momentWords(point.at ?? '', timeline),
            values: groups.map(({ of }) =>
              of.reduce((sum, outcome) => sum + (point.outcomes[outcome] ?? 0), 0),
            ),
          }))}
          format={(value) => fmt.number(value, value < 1 ? 1 : 0)}
        />
      )}
      {timeline && total > 0 && view === 'table' && (
        <TimelineTable timeline={timeline} calls={calls} />
      )}
    </Panel>
  );
}

function TimelineTable({ timeline, calls }: { timeline: Timeline; calls: (point: Row) => number }) {
  const { t } = useTranslation();
  const columns: Column<Row>[] = [
    {
      id: 'at',
      title: t('campaigns.when'),
      cell: (point) => (
        <span className="nowrap">{momentWords(point.at ?? '', timeline).label}</span>
      ),
    },
    {
      id: 'calls',
      title: t('campaigns.funnel.calls'),
      align: 'end',
      cell: (point) => fmt.number(calls(point)),
    },
    {
      id: 'answered',
      title: t('campaigns.funnel.answered'),
      align: 'end',
      cell: (point) => fmt.number(point.answered),
    },
    ...outcomes
      .filter((outcome) => timeline.points.some((point) => (point.outcomes[outcome] ?? 0) > 0))
      .map((outcome): Column<Row> => ({
        id: outcome,
        title: t(`campaigns.outcomes.${outcome}`),
        align: 'end',
        from: 'md',
        cell: (point) => fmt.number(point.outcomes[outcome] ?? 0),
      })),
  ];
  return (
    <div className={css.tall}>
      <DataTable
        caption={t('campaigns.timeline')}
        columns={columns}
        rows={timeline.points.filter((point) => calls(point) > 0).toReversed()}
        rowKey={(point) => point.at ?? ''}
        loading={null}
        empty={null}
      />
    </div>
  );
}

function WeekPanel({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const running = campaign.state === 'running' || campaign.state === 'paused';
  const found = useQuery({
    ...weekQuery(campaign.id),
    refetchInterval: running ? 60_000 : false,
  });
  const week = found.data;
  const hours = week?.hours ?? [];
  const first = Math.min(...hours.map((entry) => entry.hour), 9);
  const last = Math.max(...hours.map((entry) => entry.hour), 17);
  const shown = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const time = (hour: number) => `${String(hour).padStart(2, '0')}:00`;
  // Hours with few calls say little about when people answer.
  const telling = hours.filter((entry) => entry.calls >= 5);
  const best = (telling.length > 0 ? telling : hours).reduce<(typeof hours)[number] | null>(
    (most, entry) =>
      most === null || entry.answered / entry.calls > most.answered / most.calls ? entry : most,
    null,
  );
  const day = (weekday: number) => fmt.weekdayLong((weekday + 1) % 7);
  return (
    <Panel
      title={t('campaigns.week')}
      hint={week && t('campaigns.in_zone', { zone: week.time_zone })}
    >
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Loading rows={3} what={t('common.loading')} />}
      {week && best === null && (
        <Empty compact icon={<Grid3x3 size={22} />} title={t('campaigns.no_calls_then')} />
      )}
      {week && best !== null && (
        <HeatGrid
          title={t('campaigns.week')}
          summary={t('campaigns.week_summary', {
            day: day(best.weekday),
            time: time(best.hour),
            part: fmt.percent(best.answered / best.calls),
          })}
          corner={t('campaigns.weekday')}
          columns={shown.map((hour) => String(hour).padStart(2, '0'))}
          rows={[0, 1, 2, 3, 4, 5, 6].map((weekday) => ({
            label: fmt.weekdayShort((weekday + 1) % 7),
            cells: shown.map((hour) => {
              const entry = hours.find((one) => one.weekday === weekday && one.hour === hour);
              const when = `${day(weekday)} ${time(hour)}`;
              if (!entry)
                return { part: null, text: '', label: t('campaigns.no_calls_at', { when }) };
              const part = entry.answered / entry.calls;
              return {
                part,
                text: String(Math.round(part * 100)),
                label: t('campaigns.answered_at', {
                  when,
                  count: entry.calls,
                  answered: fmt.number(entry.answered),
                  part: fmt.percent(part),
                }),
              };
            }),
          }))}
        />
      )}
    </Panel>
  );
}
