// One table for every list: sticky header, skeleton, three kinds of empty, pages on scroll.
import { Explained } from './page';
import {
  useEffect,
  useRef,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  type RefObject,
} from 'react';

import css from './table.module.css';

export interface Column<T> {
  id: string;
  title: string;
  /** Explains the title. */
  tip?: string;
  cell: (row: T) => ReactNode;
  align?: 'end';
  /** The narrowest table that still shows the column; always shown without it. */
  from?: 'sm' | 'md' | 'lg';
  /** Share of the width, as CSS. */
  width?: string;
  /** The title is for screen readers only. */
  quiet?: boolean;
}

/** The part of the rows that is in the document, when not all are. */
export interface RowWindow {
  rows: readonly number[];
  /** Height of what is left out above and below, in pixels. */
  before: number;
  after: number;
  measure: (element: HTMLTableRowElement | null) => void;
}

export interface TableProps<T> {
  /** What the table holds, for screen readers. */
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[] | undefined;
  rowKey: (row: T) => string;
  /** A click anywhere on a row; the row's own link does the same for the keyboard. */
  onOpen?: ((row: T) => void) | undefined;
  selected?: ((row: T) => boolean) | undefined;
  dim?: ((row: T) => boolean) | undefined;
  /** Shown instead of rows when there are none. */
  empty: ReactNode;
  /** Shown while `rows` is not there. */
  loading: ReactNode;
  /** Fetches the next page; absent on the last one. */
  more?: (() => void) | undefined;
  loadingMore?: boolean;
  /** Takes the rest of the page and scrolls by itself. */
  fill?: boolean;
}

export function DataTable<T>(props: TableProps<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  return <TableFrame {...props} scroller={scroller} />;
}

export function TableFrame<T>({
  caption,
  columns,
  rows,
  rowKey,
  onOpen,
  selected,
  dim,
  empty,
  loading,
  more,
  loadingMore = false,
  fill = false,
  scroller,
  shown: part,
}: TableProps<T> & {
  scroller: RefObject<HTMLDivElement | null>;
  shown?: RowWindow | undefined;
}) {
  const end = useRef<HTMLTableSectionElement>(null);
  const moreRef = useRef(more);
  moreRef.current = more;
  const hasMore = more !== undefined;
  const count = rows?.length ?? 0;

  useEffect(() => {
    const sentinel = end.current;
    if (sentinel === null || !hasMore) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) moreRef.current?.();
      },
      { root: fill ? scroller.current : null, rootMargin: '400px' },
    );
    observer.observe(sentinel);
    return () => observer.disconnect();
  }, [hasMore, fill, count, scroller]);

  if (rows === undefined) return <div className={css.frame}>{loading}</div>;
  if (rows.length === 0) return <div className={css.frame}>{empty}</div>;

  const shown = part
    ? part.rows.map((index) => ({ row: rows[index] as T, index }))
    : rows.map((row, index) => ({ row, index }));

  const open = (event: MouseEvent, row: T) => {
    if (!onOpen || event.defaultPrevented) return;
    const target = event.target as HTMLElement;
    if (target.closest('a,button,input,label,[role="menuitem"],[data-no-open]')) return;
    if (window.getSelection()?.toString()) return;
    onOpen(row);
  };

  return (
    <div
      ref={scroller}
      className={css.frame}
      data-fill={fill || undefined}
      role="region"
      aria-label={caption}
      tabIndex={0}
    >
      <table role="table" className={css.table} aria-rowcount={hasMore ? -1 : count + 1}>
        <caption className="hidden-visually">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row" aria-rowindex={1}>
            {columns.map((column) => (
              <th
                key={column.id}
                role="columnheader"
                scope="col"
                data-align={column.align}
                data-from={column.from}
                style={column.width ? { width: column.width } : undefined}
              >
                {column.quiet ? (
                  <span className="hidden-visually">{column.title}</span>
                ) : column.tip ? (
                  <Explained tip={column.tip}>{column.title}</Explained>
                ) : (
                  column.title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" onKeyDown={walkRows}>
          {part && part.before > 0 && <Spacer height={part.before} />}
          {shown.map(({ row, index }) => (
            <tr
              key={rowKey(row)}
              role="row"
              ref={part?.measure}
              data-index={index}
              aria-rowindex={index + 2}
              data-open={onOpen ? true : undefined}
              data-selected={selected?.(row) || undefined}
              data-dim={dim?.(row) || undefined}
              onClick={(event) => open(event, row)}
            >
              {columns.map((column) => (
                <td
                  key={column.id}
                  role="cell"
                  data-align={column.align}
                  data-from={column.from}
                  data-label={column.quiet ? undefined : column.title}
                  data-corner={(column.quiet && column.width !== undefined) || undefined}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {part && part.after > 0 && <Spacer height={part.after} />}
        </tbody>
        {hasMore && (
          <tbody ref={end} aria-hidden="true">
            <tr>
              <td colSpan={columns.length}>
                <div className={css.more} data-busy={loadingMore || undefined} />
              </td>
            </tr>
          </tbody>
        )}
      </table>
    </div>
  );
}

function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden="true">
      <td className={css.spacer} style={{ height }} />
    </tr>
  );
}

/** Arrow keys move between the rows' links. */
function walkRows(event: KeyboardEvent<HTMLTableSectionElement>) {
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, Home: -1e9, End: 1e9 };
  const step = steps[event.key];
  const target = event.target as HTMLElement;
  if (step === undefined || !target.matches('[data-row-link]')) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-row-link]')];
  const next = Math.min(links.length - 1, Math.max(0, links.indexOf(target) + step));
  event.preventDefault();
  links[next]?.focus();
}
