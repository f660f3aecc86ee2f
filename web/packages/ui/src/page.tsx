// The frame of a workbench screen: header with actions, panels, key-value rows.
import { Tooltip } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';

import css from './page.module.css';

// The first page of a visit leaves the focus to the browser.
let visited = false;

/** A screen reader goes on at the title of a new screen, unless the screen took the focus itself. */
function takeFocus(heading: HTMLHeadingElement | null) {
  const active = document.activeElement;
  const inside = active !== null && active !== heading && active.closest('main, [role="dialog"]');
  if (visited && !inside) heading?.focus({ preventScroll: true });
  visited = true;
}

export function Page({
  title,
  documentTitle,
  above,
  badge,
  subtitle,
  actions,
  width = 'full',
  fill = false,
  children,
}: {
  title: ReactNode;
  /** Name of the screen in the browser's tab. */
  documentTitle: string;
  /** Breadcrumb above the title. */
  above?: ReactNode;
  badge?: ReactNode;
  subtitle?: ReactNode;
  actions?: ReactNode;
  width?: 'full' | 'form' | 'wide';
  /** The last child takes the rest of the window and scrolls by itself. */
  fill?: boolean;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${documentTitle} · Switchbell`;
  }, [documentTitle]);
  useEffect(() => takeFocus(heading.current), []);
  return (
    <div className={css.page} data-width={width} data-fill={fill || undefined}>
      <header className={css.header}>
        <div className={css.headerText}>
          {above && <div className={css.above}>{above}</div>}
          <div className={css.titleRow}>
            <h1 ref={heading} tabIndex={-1} data-page-title className={css.title}>
              {title}
            </h1>
            {badge}
          </div>
          {subtitle && <div className={css.subtitle}>{subtitle}</div>}
        </div>
        {actions && <div className={css.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Panel({
  title,
  hint,
  actions,
  children,
  flush = false,
  id,
}: {
  title?: ReactNode;
  hint?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Content reaches the border (tables). */
  flush?: boolean;
  id?: string;
}) {
  return (
    <section className={css.panel} id={id} data-flush={flush || undefined}>
      {(title || actions) && (
        <header className={css.panelHeader}>
          <div>
            {title && <h2 className={css.panelTitle}>{title}</h2>}
            {hint && <p className={css.panelHint}>{hint}</p>}
          </div>
          {actions && <div className={css.actions}>{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** A word with an explanation behind it. */
export function Explained({ children, tip }: { children: ReactNode; tip: string }) {
  return (
    <Tooltip label={tip}>
      <span className={css.explained} tabIndex={0}>
        {children}
        <span className="hidden-visually">. {tip}</span>
      </span>
    </Tooltip>
  );
}

export function Facts({ items }: { items: readonly (readonly [ReactNode, ReactNode])[] }) {
  return (
    <dl className={css.facts}>
      {items.map(([term, value], index) => (
        <div key={index} className={css.fact}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
