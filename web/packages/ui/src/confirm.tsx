// The confirmation, fetched when the first one is asked for.
import { lazy, Suspense, useRef } from 'react';

import type { ConfirmProps } from './dialogs';

const Dialog = lazy(async () => ({ default: (await import('./dialogs')).ConfirmDialog }));

export function ConfirmDialog(props: ConfirmProps) {
  const asked = useRef(false);
  asked.current ||= props.opened;
  if (!asked.current) return null;
  return (
    <Suspense fallback={null}>
      <Dialog {...props} />
    </Suspense>
  );
}
