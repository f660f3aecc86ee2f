// Server state: one cache, and the keys under which features keep their parts of it.
import { asProblem, type Problem } from '@switchbell/api';
import { QueryClient } from '@tanstack/react-query';

declare module '@tanstack/react-query' {
  interface Register {
    defaultError: Problem;
  }
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // What the server refused it will refuse again; only a lost answer is worth a second try.
      retry: (count, error) => {
        const { status } = asProblem(error);
        return count < 2 && (status === 0 || status === 502 || status === 503);
      },
      retryDelay: (count) => 500 * 2 ** count,
    },
  },
});
