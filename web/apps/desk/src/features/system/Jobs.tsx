// Background work: what the server does by itself, how far it is, and why it waits.
import {
  asProblem,
  system,
  jobStates,
  type BackgroundJob,
  type JobAbout,
  type JobCause,
  type JobSchedule,
  type JobState,
  type Problem,
} from '@switchbell/api';
import { fmt, useTranslation, wordsFor, type TFunction } from '@switchbell/i18n';
import {
  Badge,
  Button,
  ChoiceChips,
  ConfirmDialog,
  DataTable,
  Empty,
  FailureBox,
  Loading,
  Page,
  Panel,
  ProgressBar,
  toast,
  type Column,
  type Tone,
} from '@switchbell/ui';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import {
  CircleCheck,
  CircleSlash,
  CircleX,
  Hourglass,
  ListTodo,
  LoaderCircle,
  RotateCw,
  Square,
  type LucideIcon,
} from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import { faultWords } from '../../shared/faultWords';
import { Guarded } from '../../shared/NoAccess';
import { useCan } from '../../shared/session';
import { jobsChanged, jobsQuery, schedulesQuery, useFreshJobs } from './api';
import css from './Jobs.module.css';

const route = getRouteApi('/shell/settings/jobs');

const looks: Record<JobState, [Tone, LucideIcon]> = {
  ready: ['neutral', Hourglass],
  retry: ['warn', RotateCw],
  running: ['accent', LoaderCircle],
  done: ['ok', CircleCheck],
  failed: ['danger', CircleX],
  cancelled: ['neutral', CircleSlash],
};

/** Which work it is, in words. */
const workOf = (kind: string) => wordsFor(`system.kinds.${kind.replace('.', '_')}`) ?? kind;

export function Jobs() {
  const { t } = useTranslation();
  return (
    <Guarded permission="job.view">
      <Page
        title={t('shell.menu.jobs')}
        documentTitle={t('shell.menu.jobs')}
        subtitle={t('system.jobs_text')}
        width="wide"
      >
        <JobTable />
        <Schedules />
      </Page>
    </Guarded>
  );
}

function JobTable() {
  const { t } = useTranslation();
  const { state } = route.useSearch();
  const navigate = useNavigate();
  const found = useInfiniteQuery(jobsQuery(state));
  const { fresh, moves } = useFreshJobs();
  const [stopping, setStopping] = useState<BackgroundJob | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);

  // A job that came or moved on belongs elsewhere in the list.
  const known = useRef(moves);
  useEffect(() => {
    if (known.current !== '' && known.current !== moves) void jobsChanged();
    known.current = moves;
  }, [moves]);

  const ask = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
      setStopping(null);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
      await jobsChanged();
    }
  };

  const columns = useColumns({
    onRetry: (job) =>
      void ask(async () => {
        await system.retryJob(job.id);
        toast(t('system.hurried'));
      }),
    onStop: setStopping,
    busy,
  });

  return (
    <>
      <div className="toolbar">
        <ChoiceChips
          label={t('system.state')}
          value={state ?? 'all'}
          choices={[
            { value: 'all' as const, label: t('system.all') },
            ...jobStates.map((value) => ({ value, label: t(`system.states.${value}`) })),
          ]}
          onChange={(value) =>
            void navigate({
              to: '/settings/jobs',
              search: { state: value === 'all' ? undefined : value },
              replace: true,
            })
          }
        />
      </div>
      {problem && !stopping && <FailureBox failure={problem} />}
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {!(found.isError && !found.data) && (
        <DataTable
          caption={t('shell.menu.jobs')}
          columns={columns}
          rows={found.data?.pages.flatMap((page) => page.items).map(fresh)}
          rowKey={(job) => job.id}
          dim={(job) => job.state === 'cancelled'}
          more={
            found.hasNextPage ? () => void (found.isFetching || found.fetchNextPage()) : undefined
          }
          loadingMore={found.isFetchingNextPage}
          loading={<Loading what={t('system.loading_jobs')} retry={() => void found.refetch()} />}
          empty={
            <Empty
              icon={<ListTodo size={22} />}
              title={state ? t('common.nothing_matches') : t('system.no_jobs')}
            />
          }
        />
      )}
      <ConfirmDialog
        opened={stopping !== null}
        danger
        onClose={() => setStopping(null)}
        title={t('system.stop_title', { work: workOf(stopping?.kind ?? '') })}
        confirm={t('system.stop')}
        busy={busy}
        failure={problem}
        onConfirm={() => stopping && void ask(() => system.stopJob(stopping.id))}
      >
        {t('system.stop_text')}
      </ConfirmDialog>
    </>
  );
}

function useColumns({
  onRetry,
  onStop,
  busy,
}: {
  onRetry: (job: BackgroundJob) => void;
  onStop: (job: BackgroundJob) => void;
  busy: boolean;
}): Column<BackgroundJob>[] {
  const { t } = useTranslation();
  const manage = useCan()('job.manage');
  const columns: Column<BackgroundJob>[] = [
    {
      id: 'work',
      title: t('system.work'),
      cell: (job) => (
        <div>
          <div>{workOf(job.kind)}</div>
          <About about={job.about} />
        </div>
      ),
    },
    {
      id: 'state',
      title: t('system.state'),
      cell: (job) => <StateCell job={job} />,
    },
    {
      id: 'progress',
      title: t('system.progress'),
      cell: (job) => <Progress job={job} />,
      from: 'sm',
    },
    {
      id: 'attempts',
      title: t('system.attempts'),
      tip: t('system.attempts_tip'),
      align: 'end',
      cell: (job) => fmt.number(job.attempts),
      from: 'md',
    },
    {
      id: 'when',
      title: t('system.when'),
      cell: (job) => (
        <div>
          <div className="nowrap">{moment(t, job)}</div>
          <div className="muted small nowrap">
            {t('system.asked_for', { when: fmt.brief(job.created_at) })}
          </div>
        </div>
      ),
      from: 'sm',
    },
  ];
  if (manage)
    columns.push({
      id: 'actions',
      title: t('common.actions'),
      quiet: true,
      align: 'end',
      cell: (job) => (
        <div className="row actions-end">
          {job.may_retry && (
            <Button
              size="xs"
              variant="default"
              disabled={busy}
              leftSection={<RotateCw size={14} />}
              onClick={() => onRetry(job)}
            >
              {t('system.retry')}
            </Button>
          )}
          {job.may_stop && (
            <Button
              size="xs"
              variant="subtle"
              color="red"
              disabled={busy}
              leftSection={<Square size={14} />}
              onClick={() => onStop(job)}
            >
              {t('system.stop')}
            </Button>
          )}
        </div>
      ),
    });
  return columns;
}

/** The moment that matters most in its state. */
function moment(t: TFunction, job: BackgroundJob): string {
  if (job.ended_at) return t('system.ended', { when: fmt.brief(job.ended_at) });
  if (job.state === 'retry' && job.next_at)
    return t('system.next_try', { when: fmt.brief(job.next_at) });
  if (job.next_at) return t('system.begins', { when: fmt.brief(job.next_at) });
  return t('system.began', { when: fmt.brief(job.started_at ?? job.created_at) });
}

function StateCell({ job }: { job: BackgroundJob }) {
  const { t } = useTranslation();
  const [tone, Icon] = looks[job.state];
  return (
    <div>
      <Badge tone={tone} icon={<Icon size={14} />}>
        {t(`system.states.${job.state}`)}
      </Badge>
      {job.stopping && <div className="muted small">{t('system.stopping')}</div>}
      {(job.state === 'failed' || job.state === 'retry') && <Why job={job} />}
    </div>
  );
}

/** Why it failed or is tried again; beneath, in English, what the program says to whoever runs it. */
function Why({ job }: { job: BackgroundJob }) {
  const words = job.cause && causeWords(job.cause);
  return (
    <>
      {words && <div className={css.why}>{words}</div>}
      {job.reason && (
        <div className={css.reason} lang="en">
          {job.reason}
        </div>
      )}
    </>
  );
}

/** Words for what any work may run into, for what a source answered, or for a problem. */
function causeWords({ code, params }: JobCause): string | null {
  const { fault, ...rest } = params;
  if (code === 'source_refused' && typeof fault === 'string')
    return faultWords({ code: fault, params: rest });
  return wordsFor(`system.whys.${code}`, params) ?? wordsFor(`errors.${code}`, params);
}

function Progress({ job }: { job: BackgroundJob }) {
  const { t } = useTranslation();
  if (!job.total) return job.done > 0 ? fmt.number(job.done) : <span className="muted">—</span>;
  return (
    <div className={css.progress}>
      {job.state === 'running' && (
        <ProgressBar part={job.done / job.total} label={workOf(job.kind)} />
      )}
      <span className="num small nowrap">
        {t('system.of', { done: fmt.number(job.done), total: fmt.number(job.total) })}
      </span>
    </div>
  );
}

function About({ about }: { about?: JobAbout | null | undefined }) {
  const { t } = useTranslation();
  const can = useCan();
  if (about?.what === 'campaign' && can('campaign.view'))
    return (
      <Link to="/campaigns/$id" params={{ id: about.id }} className="small">
        {t('system.about.campaign')}
      </Link>
    );
  if (about?.what === 'list' && can('list.view'))
    return (
      <Link to="/campaigns/lists/$id" params={{ id: about.id }} className="small">
        {t('system.about.list')}
      </Link>
    );
  return null;
}

/** Work that comes back; nothing is shown while there is none. */
function Schedules() {
  const { t } = useTranslation();
  const manage = useCan()('job.manage');
  const found = useInfiniteQuery(schedulesQuery);
  const [problem, setProblem] = useState<Problem | null>(null);
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  if (found.isError) return <FailureBox failure={found.error} retry={() => void found.refetch()} />;
  if (rows.length === 0) return null;
  const run = async (schedule: JobSchedule) => {
    setProblem(null);
    try {
      await system.runSchedule(schedule);
      toast(t('system.runs'));
    } catch (error) {
      setProblem(asProblem(error));
    }
    await jobsChanged();
  };
  return (
    <Panel title={t('system.schedules')} flush>
      {problem && <FailureBox failure={problem} />}
      <DataTable
        caption={t('system.schedules')}
        columns={[
          {
            id: 'work',
            title: t('system.work'),
            cell: (schedule) => (
              <div>
                <div>{workOf(schedule.kind)}</div>
                <About about={schedule.about} />
              </div>
            ),
          },
          {
            id: 'every',
            title: t('system.every'),
            cell: (schedule) => spanOf(t, schedule.every_s),
            from: 'sm',
          },
          {
            id: 'next',
            title: t('system.next'),
            cell: (schedule) => <span className="nowrap">{fmt.brief(schedule.next_at)}</span>,
          },
          ...(manage
            ? [
                {
                  id: 'actions',
                  title: t('common.actions'),
                  quiet: true,
                  align: 'end' as const,
                  cell: (schedule: JobSchedule) => (
                    <Button size="xs" variant="default" onClick={() => void run(schedule)}>
                      {t('system.run_now')}
                    </Button>
                  ),
                },
              ]
            : []),
        ]}
        rows={rows}
        rowKey={(schedule) => `${schedule.kind} ${schedule.key}`}
        more={
          found.hasNextPage ? () => void (found.isFetching || found.fetchNextPage()) : undefined
        }
        loading={null}
        empty={null}
      />
    </Panel>
  );
}

function spanOf(t: TFunction, seconds: number): string {
  if (seconds % 86_400 === 0) return t('system.days', { count: seconds / 86_400 });
  if (seconds % 3_600 === 0) return t('common.span.hours', { count: seconds / 3_600 });
  return t('common.span.minutes', { count: Math.round(seconds / 60) });
}
