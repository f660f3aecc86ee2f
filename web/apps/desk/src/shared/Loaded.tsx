// What to show for a query: its shape while it loads, its failure with a retry, its data.
import { FailureBox, Loading } from '@switchbell/ui';
import type { Problem } from '@switchbell/api';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';

export function Loaded<T>({
  query,
  what,
  rows,
  children,
}: {
  query: UseQueryResult<T, Problem>;
  /** "Loading campaigns…" */
  what: string;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  const retry = () => void query.refetch();
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && <FailureBox failure={query.error} retry={retry} />}
        {children(query.data)}
      </>
    );
  }
  if (query.isError) return <FailureBox failure={query.error} retry={retry} />;
  return <Loading what={what} retry={retry} {...(rows === undefined ? {} : { rows })} />;
}
