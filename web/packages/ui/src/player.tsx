// One player for prompts and recordings: a toolbar with Space, arrows and speed, and for a recording
// the waveform of both sides (upper half the customer, lower half us).
import { ActionIcon, Tooltip } from '@mantine/core';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Download, Pause, Play } from 'lucide-react';
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';

import css from './player.module.css';

const speeds = [1, 1.25, 1.5, 2, 0.75] as const;

// One sound at a time.
let playing: HTMLAudioElement | null = null;

export function AudioPlayer({
  src,
  duration,
  label,
  waves,
  download,
  compact = false,
}: {
  src: string;
  /** Seconds, known before the file is read. */
  duration: number | null;
  /** What is heard, for screen readers. */
  label: string;
  /** Loudness 0 to 255 over time, both sides. */
  waves?: { left: readonly number[]; right: readonly number[] } | undefined;
  /** File name under which it may be saved. */
  download?: string | undefined;
  compact?: boolean;
}) {
  const { t } = useTranslation();
  const audio = useRef<HTMLAudioElement>(null);
  const [on, setOn] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(duration ?? 0);
  const [failed, setFailed] = useState(false);
  const [speed, setSpeed] = useState<number>(1);
  const failedId = useId();

  useEffect(() => {
    const element = audio.current;
    return () => {
      element?.pause();
      if (playing === element) playing = null;
    };
  }, []);

  const toggle = () => {
    const element = audio.current;
    if (element === null) return;
    if (!element.paused) {
      element.pause();
      return;
    }
    if (playing !== element) playing?.pause();
    playing = element;
    setFailed(false);
    element.play().catch(() => setFailed(true));
  };
  const seek = (to: number) => {
    const element = audio.current;
    if (element === null || length <= 0) return;
    element.currentTime = Math.min(length, Math.max(0, to));
    setAt(element.currentTime);
  };
  const setRate = (next: number) => {
    setSpeed(next);
    if (audio.current) audio.current.playbackRate = next;
  };
  const keys = (event: KeyboardEvent) => {
    const onButton = (event.target as HTMLElement).tagName === 'BUTTON';
    const step = (direction: number) =>
      setRate(
        [...speeds].toSorted((a, b) => a - b)[
          Math.min(
            speeds.length - 1,
            Math.max(0, [...speeds].toSorted((a, b) => a - b).indexOf(speed as 1) + direction),
          )
        ] ?? 1,
      );
    const actions: Record<string, () => void> = {
      ArrowLeft: () => seek(at - 5),
      ArrowRight: () => seek(at + 5),
      ArrowUp: () => step(1),
      ArrowDown: () => step(-1),
    };
    if (event.key === ' ' && !onButton) actions[' '] = toggle;
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };

  return (
    <div
      className={css.player}
      data-compact={compact || undefined}
      role="toolbar"
      aria-label={label}
      onKeyDown={keys}
      data-no-open
    >
      <audio
        ref={audio}
        src={src}
        preload="none"
        onPlay={() => setOn(true)}
        onPause={() => setOn(false)}
        onEnded={() => setOn(false)}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onLoadedMetadata={(event) => {
          if (Number.isFinite(event.currentTarget.duration))
            setLength(event.currentTarget.duration);
        }}
        onError={() => setFailed(true)}
      />
      <ActionIcon
        variant={compact ? 'light' : 'filled'}
        radius="xl"
        size={compact ? 30 : 36}
        aria-label={on ? t('common.player.pause') : t('common.player.play')}
        aria-describedby={failed ? failedId : undefined}
        onClick={toggle}
      >
        {on ? <Pause size={16} /> : <Play size={16} />}
      </ActionIcon>
      <div className={css.track}>
        {waves && <Waves waves={waves} part={length > 0 ? at / length : 0} />}
        <input
          type="range"
          className={waves ? css.overlay : css.range}
          min={0}
          max={Math.max(1, Math.round(length * 10))}
          value={Math.round(at * 10)}
          aria-label={t('common.player.position')}
          aria-valuetext={`${fmt.duration(at)} / ${fmt.duration(length)}`}
          onChange={(event) => seek(Number(event.currentTarget.value) / 10)}
        />
      </div>
      <span className={css.time}>
        {fmt.duration(at)} / {fmt.duration(length)}
      </span>
      {!compact && (
        <Tooltip label={t('common.player.speed')}>
          <button
            type="button"
            className={css.speed}
            aria-label={`${t('common.player.speed')}: ×${fmt.number(speed, 2)}`}
            onClick={() => setRate(speeds[(speeds.indexOf(speed as 1) + 1) % speeds.length] ?? 1)}
          >
            ×{fmt.number(speed, 2)}
          </button>
        </Tooltip>
      )}
      {download && (
        <Tooltip label={t('common.download')}>
          <ActionIcon
            component="a"
            href={src}
            download={download}
            variant="subtle"
            color="gray"
            aria-label={t('common.download')}
          >
            <Download size={16} />
          </ActionIcon>
        </Tooltip>
      )}
      {failed && (
        <span id={failedId} role="alert" className={css.failed}>
          {t('common.player.failed')}
        </span>
      )}
    </div>
  );
}

const columns = 240;

/** The loudest value of each of `columns` slices. */
function slices(values: readonly number[]): number[] {
  return Array.from({ length: columns }, (_, index) => {
    const from = Math.floor((index * values.length) / columns);
    const to = Math.max(from + 1, Math.floor(((index + 1) * values.length) / columns));
    return values.slice(from, to).reduce((top, value) => Math.max(top, value), 0);
  });
}

function Waves({
  waves,
  part,
}: {
  waves: { left: readonly number[]; right: readonly number[] };
  part: number;
}) {
  const half = (values: readonly number[], direction: 1 | -1) =>
    slices(values)
      .map((value, x) => {
        const height = Math.max(0.6, (value / 255) * 24);
        return `M${x + 0.5} 25v${-direction * height}`;
      })
      .join('');
  const left = half(waves.left, 1);
  const right = half(waves.right, -1);
  return (
    <svg
      className={css.waves}
      viewBox={`0 0 ${columns} 50`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect x="0" y="0" width={columns * part} height="50" className={css.played} />
      <path d={left} className={css.left} />
      <path d={right} className={css.right} />
      <path d={`M0 25H${columns}`} className={css.middle} />
      <path d={`M${columns * part} 0V50`} className={css.cursor} />
    </svg>
  );
}
