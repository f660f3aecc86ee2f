// The certificate of the server.
import { certificate } from '@switchbell/api';
import { queryOptions } from '@tanstack/react-query';

export const certificateQuery = queryOptions({
  queryKey: ['certificate'],
  queryFn: ({ signal }) => certificate.get({ signal }),
  // While the directory is asked, the answer comes within seconds.
  refetchInterval: (query) => (query.state.data?.mode === 'acme' ? 5_000 : false),
});
