// The campaign run ahead by the dialler itself: who is called, who is passed over and why, when it
// ends and how many calls each hour sees.
import type { Band, Campaign, CampaignRehearsal } from '@switchbell/api';
import { fmt, useTranslation, type TFunction } from '@switchbell/i18n';
import { Facts, FailureBox, Loading } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import css from './Ahead.module.css';
import { rehearsalQuery } from './api';

export function Ahead({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const ahead = useQuery(rehearsalQuery(campaign.id));
  return (
    <section className={css.ahead} aria-label={t('campaigns.ahead.title')}>
      <header>
        <h3 className={css.title}>{t('campaigns.ahead.title')}</h3>
        <p className={css.hint}>{t('campaigns.ahead.hint')}</p>
      </header>
      {ahead.isPending && <Loading what={t('campaigns.ahead.working')} rows={3} />}
      {ahead.isError && <FailureBox failure={ahead.error} retry={() => void ahead.refetch()} />}
      {ahead.data && <Told ahead={ahead.data} zone={campaign.time_zone} />}
    </section>
  );
}

/** "120 (95–140)", or the number alone when nothing is open about it. */
function bandWords({ low, likely, high }: Band<number>, t: TFunction): string {
  if (low === high) return fmt.number(likely);
  return t('campaigns.ahead.band', {
    low: fmt.number(low),
    likely: fmt.number(likely),
    high: fmt.number(high),
  });
}

function Told({ ahead, zone }: { ahead: CampaignRehearsal; zone: string }) {
  const { t } = useTranslation();
  const { finish, skipped } = ahead;
  const passedOver = skipped.reduce((sum, one) => sum + one.contacts, 0);
  const passed = passedOver === 0 ? fmt.number(0) : <Skipped skipped={skipped} />;
  const ends = finish ? (
    <Finish finish={finish} zone={zone} />
  ) : (
    t('campaigns.ahead.left', { count: ahead.left })
  );
  return (
    <>
      <Facts
        items={[
          [t('campaigns.will_call'), fmt.number(ahead.will_call)],
          [t('campaigns.ahead.skipped'), passed],
          [t('campaigns.ahead.finish'), ends],
          [t('campaigns.ahead.calls'), bandWords(ahead.calls, t)],
          [t('campaigns.ahead.answered'), bandWords(ahead.answered, t)],
        ]}
      />
      {ahead.hours.length > 1 && <Hours ahead={ahead} zone={zone} />}
      <ul className={css.notes}>
        <li>
          {ahead.earlier_calls > 0
            ? t('campaigns.ahead.earlier', { count: ahead.earlier_calls })
            : t('campaigns.ahead.usual')}
        </li>
        {ahead.others_on_line > 0 && (
          <li>{t('campaigns.ahead.others', { count: ahead.others_on_line })}</li>
        )}
        {!ahead.exact && <li>{t('campaigns.ahead.sampled')}</li>}
      </ul>
    </>
  );
}

function Finish({ finish, zone }: { finish: Band<string>; zone: string }) {
  const { t } = useTranslation();
  const near = (moment: string) => fmt.brief(moment, finish.likely, zone);
  return (
    <>
      <div>{fmt.dateTime(finish.likely, zone)}</div>
      {near(finish.low) !== near(finish.high) && (
        <div className={css.hint}>
          {t('campaigns.ahead.between', { low: near(finish.low), high: near(finish.high) })}
        </div>
      )}
    </>
  );
}

function Skipped({ skipped }: Pick<CampaignRehearsal, 'skipped'>) {
  const { t } = useTranslation();
  return (
    <ul className={css.skipped}>
      {skipped.map(({ reason, contacts }) => (
        <li key={reason}>
          <span className="num">{fmt.number(contacts)}</span>{' '}
          {t(`campaigns.ahead.reasons.${reason}`)}
        </li>
      ))}
    </ul>
  );
}

interface Bar {
  /** The moment it begins. */
  from: string;
  /** How many bars' widths from the first. */
  at: number;
  calls: Band<number>;
}

const HOUR = 3_600_000;
/** More hours than this are told by the day. */
const MOST_HOURS = 72;

/** Bars on an even axis: an hour without calls is a gap, not nothing. */
function barsOf(hours: CampaignRehearsal['hours'], zone: string): { bars: Bar[]; daily: boolean } {
  const begin = new Date(hours[0]?.from ?? 0).getTime();
  const at = (from: string) => Math.round((new Date(from).getTime() - begin) / HOUR);
  const daily = at(hours.at(-1)?.from ?? '') >= MOST_HOURS;
  if (!daily) return { bars: hours.map((hour) => ({ ...hour, at: at(hour.from) })), daily };
  const noon = (from: string) => Math.round(at(from) / 24);
  const days = new Map<string, Bar>();
  for (const { from, calls } of hours) {
    const day = fmt.date(from, 'short', zone);
    const before = days.get(day);
    if (!before) days.set(day, { from, at: noon(from), calls: { ...calls } });
    else {
      before.calls.low += calls.low;
      before.calls.likely += calls.likely;
      before.calls.high += calls.high;
    }
  }
  const bars = [...days.values()];
  // Days are of the campaign's zone; the first hour of one may lie nearer to the day before.
  for (const [index, bar] of bars.entries()) {
    const before = bars[index - 1];
    if (before && bar.at <= before.at) bar.at = before.at + 1;
  }
  return { bars, daily };
}

function Hours({ ahead, zone }: { ahead: CampaignRehearsal; zone: string }) {
  const { t } = useTranslation();
  const [table, setTable] = useState(false);
  const { bars, daily } = barsOf(ahead.hours, zone);
  const first = bars[0];
  const last = bars.at(-1);
  if (!first || !last) return null;
  const title = daily ? t('campaigns.ahead.by_day') : t('campaigns.ahead.by_hour');
  const when = (from: string) =>
    daily
      ? fmt.date(from, 'medium', zone)
      : fmt.sameDay(first.from, last.from, zone)
        ? fmt.time(from, { zone })
        : fmt.brief(from, first.from, zone);
  const most = bars.reduce((best, bar) => (bar.calls.likely > best.calls.likely ? bar : best));
  const numbers = {
    from: when(first.from),
    to: when(last.from),
    most: fmt.number(most.calls.likely),
    at: when(most.from),
  };
  const said = daily
    ? t('campaigns.ahead.said_daily', numbers)
    : t('campaigns.ahead.said_hourly', numbers);
  return (
    <figure className={css.figure}>
      <div className="spread gap-2">
        <figcaption className={css.caption}>{title}</figcaption>
        <button type="button" className="link-button" onClick={() => setTable(!table)}>
          {table ? t('campaigns.ahead.as_chart') : t('campaigns.ahead.as_table')}
        </button>
      </div>
      {table ? (
        <Table bars={bars} daily={daily} when={when} title={title} />
      ) : (
        <>
          <Chart bars={bars} label={`${title}. ${said}`} />
          <div className={css.axis} aria-hidden="true">
            <span>{when(first.from)}</span>
            {last !== first && <span>{when(last.from)}</span>}
          </div>
        </>
      )}
      <p className={css.hint}>{said}</p>
    </figure>
  );
}

const HEIGHT = 72;

function Chart({ bars, label }: { bars: readonly Bar[]; label: string }) {
  // A single bar as wide as the page would say nothing.
  const slots = Math.max(12, (bars.at(-1)?.at ?? 0) + 1);
  const top = bars.reduce((most, { calls }) => Math.max(most, calls.high), 1);
  const tall = (value: number) => (value / top) * (HEIGHT - 2);
  return (
    <svg
      className={css.chart}
      role="img"
      aria-label={label}
      preserveAspectRatio="none"
      viewBox={`0 0 ${slots} ${HEIGHT}`}
    >
      {bars.map(({ from, at, calls }) => (
        <g key={from}>
          <rect
            className={css.band}
            x={at + 0.08}
            width={0.84}
            y={HEIGHT - tall(calls.high)}
            height={tall(calls.high)}
          />
          <rect
            className={css.likely}
            x={at + 0.08}
            width={0.84}
            y={HEIGHT - tall(calls.likely)}
            height={tall(calls.likely)}
          />
        </g>
      ))}
    </svg>
  );
}

function Table({
  bars,
  daily,
  when,
  title,
}: {
  bars: readonly Bar[];
  daily: boolean;
  when: (from: string) => string;
  title: string;
}) {
  const { t } = useTranslation();
  return (
    <div className={css.scroll} tabIndex={0} role="region" aria-label={title}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{daily ? t('campaigns.ahead.day') : t('campaigns.ahead.hour')}</th>
            <th scope="col">{t('campaigns.ahead.low')}</th>
            <th scope="col">{t('campaigns.ahead.likely')}</th>
            <th scope="col">{t('campaigns.ahead.high')}</th>
          </tr>
        </thead>
        <tbody>
          {bars.map(({ from, calls }) => (
            <tr key={from}>
              <th scope="row">{when(from)}</th>
              <td>{fmt.number(calls.low)}</td>
              <td>{fmt.number(calls.likely)}</td>
              <td>{fmt.number(calls.high)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
