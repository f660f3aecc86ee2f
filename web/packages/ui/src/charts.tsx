// Charts of our own: stacked bars over time, and the hours of a week. Each can be read without eyes
// for colour, with the keyboard, and as a table.
import { SegmentedControl } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useTranslation } from '@switchbell/i18n';
import { useId, useState, type KeyboardEvent, type PointerEvent } from 'react';

import type { Tone } from './badge';
import css from './charts.module.css';

export interface Series {
  id: string;
  label: string;
  tone: Tone;
  /** Tells it apart without colour. */
  pattern?: 'stripes' | 'dots';
}

export interface Step {
  key: string;
  /** Short, for the axis. */
  tick: string;
  /** In full, for the readout and the table. */
  label: string;
  /** One for each series. */
  values: readonly number[];
}

const height = 180;

/** Chart or table: the same figures. */
export function useChartView() {
  const { t } = useTranslation();
  const [view, setView] = useState<'chart' | 'table'>('chart');
  return {
    view,
    choice: (
      <SegmentedControl
        size="xs"
        aria-label={t('common.chart.view')}
        value={view}
        onChange={(value) => setView(value as 'chart' | 'table')}
        data={[
          { value: 'chart', label: t('common.chart.chart') },
          { value: 'table', label: t('common.chart.table') },
        ]}
      />
    ),
  };
}

/** The smallest of 1, 2, 5 × 10ⁿ that is not below. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

export function TimeBars({
  title,
  summary,
  series,
  steps,
  format,
}: {
  title: string;
  /** What the chart says, in one sentence. */
  summary: string;
  series: readonly Series[];
  steps: readonly Step[];
  format: (value: number) => string;
}) {
  const id = useId();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const sums = steps.map((step) => step.values.reduce((sum, value) => sum + value, 0));
  const top = roundUp(Math.max(1, ...sums));
  const slot = steps.length === 0 ? 0 : width / steps.length;
  const bar = Math.max(1, slot > 6 ? slot - 2 : slot * 0.8);
  const chosen = Math.min(at ?? steps.length - 1, steps.length - 1);
  const words = (index: number) => {
    const step = steps[index];
    if (!step) return '';
    const parts = series
      .map((entry, n) => [entry.label, step.values[n] ?? 0] as const)
      .filter(([, value]) => value > 0)
      .map(([label, value]) => `${label}: ${format(value)}`);
    return `${step.label} · ${parts.length > 0 ? parts.join(', ') : format(0)}`;
  };
  const keys = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowLeft: chosen - 1,
      ArrowDown: chosen - 1,
      ArrowRight: chosen + 1,
      ArrowUp: chosen + 1,
      PageUp: chosen - 10,
      PageDown: chosen + 10,
      Home: 0,
      End: steps.length - 1,
    };
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    setAt(Math.min(steps.length - 1, Math.max(0, next)));
  };
  const point = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setAt(Math.min(steps.length - 1, Math.max(0, Math.floor((event.clientX - box.left) / slot))));
  };
  // As many words as fit under the bars.
  const every = Math.max(1, Math.ceil(steps.length / Math.max(1, Math.floor(width / 72))));
  return (
    <figure className={css.figure} aria-label={title}>
      <p className={css.summary}>{summary}</p>
      <div className={css.plotRow}>
        <div className={css.scale} aria-hidden="true">
          <span>{format(top)}</span>
          <span>{top > 1 ? format(top / 2) : ''}</span>
          <span>{format(0)}</span>
        </div>
        <div
          ref={ref}
          className={css.plot}
          role="slider"
          tabIndex={0}
          aria-label={title}
          aria-valuemin={0}
          aria-valuemax={Math.max(0, steps.length - 1)}
          aria-valuenow={Math.max(0, chosen)}
          aria-valuetext={words(chosen)}
          onKeyDown={keys}
          onPointerMove={point}
          onPointerLeave={() => setAt(null)}
        >
          <svg width="100%" height={height} aria-hidden="true" className={css.svg}>
            <defs>
              {series.map(
                (entry) =>
                  entry.pattern && (
                    <pattern
                      key={entry.id}
                      id={`${id}${entry.id}`}
                      width="6"
                      height="6"
                      patternUnits="userSpaceOnUse"
                      patternTransform={entry.pattern === 'stripes' ? 'rotate(45)' : undefined}
                    >
                      <rect width="6" height="6" data-tone={entry.tone} />
                      {entry.pattern === 'stripes' ? (
                        <rect width="2" height="6" className={css.gap} />
                      ) : (
                        <circle cx="3" cy="3" r="1.3" className={css.gap} />
                      )}
                    </pattern>
                  ),
              )}
            </defs>
            {[0, 0.5, 1].map((part) => (
              <line
                key={part}
                x1="0"
                x2={width}
                y1={Math.min(height - 0.5, part * height + 0.5)}
                y2={Math.min(height - 0.5, part * height + 0.5)}
                className={css.grid}
              />
            ))}
            {at !== null && (
              <rect x={chosen * slot} width={slot} height={height} className={css.cursor} />
            )}
            {steps.map((step, index) => {
              let below = height;
              return step.values.map((value, n) => {
                const entry = series[n];
                if (!entry || value === 0) return null;
                const tall = (value / top) * height;
                below -= tall;
                return (
                  <rect
                    key={`${step.key} ${entry.id}`}
                    x={index * slot + (slot - bar) / 2}
                    y={below}
                    width={bar}
                    height={tall}
                    data-tone={entry.tone}
                    fill={entry.pattern && `url(#${id}${entry.id})`}
                    data-pattern={entry.pattern}
                  />
                );
              });
            })}
          </svg>
          <div className={css.axis} aria-hidden="true">
            {steps.map(
              (step, index) =>
                index % every === 0 &&
                index * slot < width - 40 && (
                  <span key={step.key} style={{ insetInlineStart: index * slot }}>
                    {step.tick}
                  </span>
                ),
            )}
          </div>
        </div>
      </div>
      <figcaption className={css.caption}>
        <ul className={css.legend}>
          {series.map((entry) => (
            <li key={entry.id}>
              <span
                className={css.swatch}
                data-tone={entry.tone}
                data-pattern={entry.pattern}
                aria-hidden="true"
              />
              {entry.label}
            </li>
          ))}
        </ul>
        <span className={css.readout}>{at === null ? '' : words(chosen)}</span>
      </figcaption>
    </figure>
  );
}

export interface HeatCell {
  /** How dark it is, 0 to 1; nothing is there without it. */
  part: number | null;
  /** In the cell. */
  text: string;
  /** In full. */
  label: string;
}

/** A grid whose cells carry their number in words and in shade. */
export function HeatGrid({
  title,
  summary,
  corner,
  columns,
  rows,
}: {
  title: string;
  summary: string;
  /** Heading of the first column. */
  corner: string;
  columns: readonly string[];
  rows: readonly { label: string; cells: readonly HeatCell[] }[];
}) {
  return (
    <figure className={css.figure} aria-label={title}>
      <p className={css.summary}>{summary}</p>
      <div className={css.scroll} role="region" aria-label={title} tabIndex={0}>
        <table className={css.heat}>
          <caption className="hidden-visually">{title}</caption>
          <thead>
            <tr>
              <th scope="col">
                <span className="hidden-visually">{corner}</span>
              </th>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.label}>
                <th scope="row">{row.label}</th>
                {row.cells.map((cell, index) => (
                  <td
                    key={columns[index]}
                    title={cell.label}
                    data-level={cell.part === null ? undefined : Math.round(cell.part * 5)}
                  >
                    {cell.part === null ? (
                      <span className="hidden-visually">{cell.label}</span>
                    ) : (
                      <>
                        <span aria-hidden="true">{cell.text}</span>
                        <span className="hidden-visually">{cell.label}</span>
                      </>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
