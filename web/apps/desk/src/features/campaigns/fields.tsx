// Fields that only campaigns have: a span of time, and the hours of a week.
import type { Hours } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { ActionIcon, Button, NumberInput, Select, TextInput, Tooltip } from '@switchbell/ui';
import { Copy, Plus, X } from 'lucide-react';
import { useEffect, useState } from 'react';

import { dayNumber, readTime, weekdays } from './hours';
import css from './fields.module.css';

const units = { s: 1, min: 60, h: 3600 } as const;
type Unit = keyof typeof units;

const unitOf = (seconds: number): Unit =>
  seconds > 0 && seconds % 3600 === 0 ? 'h' : seconds > 0 && seconds % 60 === 0 ? 'min' : 's';

/** A span in whole seconds, edited in the unit that suits it. */
export function SpanInput({
  label,
  name,
  value,
  onChange,
  readOnly,
  error,
}: {
  label: string;
  name: string;
  value: number;
  onChange: (seconds: number) => void;
  readOnly: boolean;
  error?: string | undefined;
}) {
  const { t } = useTranslation();
  const [unit, setUnit] = useState<Unit>(unitOf(value));
  return (
    <div className={css.span}>
      <NumberInput
        label={label}
        name={name}
        value={Math.round((value / units[unit]) * 100) / 100}
        onChange={(number) => onChange(Math.round(Number(number || 0) * units[unit]))}
        min={0}
        readOnly={readOnly}
        error={error}
        hideControls
      />
      <Select
        aria-label={t('campaigns.unit_of', { field: label })}
        data={(Object.keys(units) as Unit[]).map((key) => ({
          value: key,
          label: t(`common.units.${key}`),
        }))}
        value={unit}
        allowDeselect={false}
        readOnly={readOnly}
        onChange={(next) => {
          if (next !== 's' && next !== 'min' && next !== 'h') return;
          // The number stays and its meaning changes, as it does on paper.
          onChange(Math.round((value / units[unit]) * units[next]));
          setUnit(next);
        }}
      />
    </div>
  );
}

export function TimeInput({
  label,
  value,
  onChange,
  readOnly,
}: {
  label: string;
  value: string;
  onChange: (time: string) => void;
  readOnly: boolean;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  const [wrong, setWrong] = useState(false);
  useEffect(() => setText(value), [value]);
  const settle = () => {
    const time = readTime(text);
    setWrong(time === null);
    if (time !== null) {
      setText(time);
      if (time !== value) onChange(time);
    }
  };
  return (
    <TextInput
      aria-label={label}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={settle}
      error={wrong ? t('campaigns.time_wrong') : undefined}
      inputMode="numeric"
      maxLength={5}
      readOnly={readOnly}
      className={css.time}
    />
  );
}

export function HoursEditor({
  value,
  onChange,
  readOnly,
  errorOf,
}: {
  value: Hours;
  onChange: (hours: Hours) => void;
  readOnly: boolean;
  errorOf: (field: string) => string | undefined;
}) {
  const { t } = useTranslation();
  return (
    <div className={css.hours} role="group" aria-label={t('campaigns.hours')}>
      {weekdays.map((day, index) => {
        const name = fmt.weekdayLong(dayNumber(day));
        const ranges = value[day] ?? [];
        const set = (next: [string, string][]) => onChange({ ...value, [day]: next });
        const fault =
          errorOf(`hours.${day}`) ??
          ranges.map((_, at) => errorOf(`hours.${day}[${at}]`)).find(Boolean);
        return (
          <div key={day} className={css.day}>
            <span className={css.dayName}>{name}</span>
            <div className={css.ranges}>
              {ranges.length === 0 && (
                <span className={css.closed}>{t('campaigns.closed_day')}</span>
              )}
              {ranges.map(([from, to], at) => (
                // The place is what tells two ranges of a day apart.
                // oxlint-disable-next-line react/no-array-index-key
                <span key={at} className={css.range}>
                  <TimeInput
                    label={t('campaigns.from_of', { day: name })}
                    value={from}
                    readOnly={readOnly}
                    onChange={(time) =>
                      set(ranges.map((range, place) => (place === at ? [time, range[1]] : range)))
                    }
                  />
                  <span aria-hidden="true">–</span>
                  <TimeInput
                    label={t('campaigns.to_of', { day: name })}
                    value={to}
                    readOnly={readOnly}
                    onChange={(time) =>
                      set(ranges.map((range, place) => (place === at ? [range[0], time] : range)))
                    }
                  />
                  {!readOnly && (
                    <Tooltip label={t('campaigns.remove_hours')}>
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        aria-label={t('campaigns.remove_hours_of', { day: name })}
                        onClick={() => set(ranges.filter((_, place) => place !== at))}
                      >
                        <X size={15} />
                      </ActionIcon>
                    </Tooltip>
                  )}
                </span>
              ))}
              {!readOnly && (
                <span className={css.tools}>
                  <Tooltip label={t('campaigns.add_hours')}>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={t('campaigns.add_hours_of', { day: name })}
                      onClick={() =>
                        set([
                          ...ranges,
                          ranges.length === 0 ? ['09:00', '18:00'] : ['18:00', '20:00'],
                        ])
                      }
                    >
                      <Plus size={16} />
                    </ActionIcon>
                  </Tooltip>
                  {index === 0 && ranges.length > 0 && (
                    <Button
                      size="compact-xs"
                      variant="subtle"
                      leftSection={<Copy size={13} />}
                      onClick={() =>
                        onChange({ ...value, tue: ranges, wed: ranges, thu: ranges, fri: ranges })
                      }
                    >
                      {t('campaigns.to_weekdays')}
                    </Button>
                  )}
                </span>
              )}
            </div>
            {fault && <p className={css.fault}>{fault}</p>}
          </div>
        );
      })}
    </div>
  );
}
