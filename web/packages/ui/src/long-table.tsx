// A table for lists without end: it fills the page, scrolls by itself, and keeps only the rows that
// can be seen in the document.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';

import { TableFrame, type TableProps } from './table';

const manyRows = 120;

export function LongTable<T>(props: Omit<TableProps<T>, 'fill'>) {
  const scroller = useRef<HTMLDivElement>(null);
  const count = props.rows?.length ?? 0;
  const many = count > manyRows;
  const virtualizer = useVirtualizer({
    count: many ? count : 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => 49,
    overscan: 12,
  });
  const items = virtualizer.getVirtualItems();
  return (
    <TableFrame
      {...props}
      fill
      scroller={scroller}
      shown={
        many
          ? {
              rows: items.map((item) => item.index),
              before: items[0]?.start ?? 0,
              after: virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0),
              measure: virtualizer.measureElement,
            }
          : undefined
      }
    />
  );
}
