// The first steps and the demo data.
import { demo, type FirstSteps } from '@switchbell/api';
import { queryOptions } from '@tanstack/react-query';

import { queryClient } from '../../shared/query';

export const stepsQuery = queryOptions({
  queryKey: ['first-steps'],
  queryFn: ({ signal }) => demo.steps({ signal }),
  refetchOnMount: 'always',
});

/** Takes in an answer, and lets every list that may hold demo rows be read again. */
export async function stepsChanged(steps: FirstSteps, data: boolean): Promise<void> {
  queryClient.setQueryData(stepsQuery.queryKey, steps);
  if (!data) return;
  await Promise.all(
    ['lines', 'audio', 'lists', 'campaigns'].map((key) =>
      queryClient.invalidateQueries({ queryKey: [key] }),
    ),
  );
}
