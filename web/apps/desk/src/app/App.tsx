// The providers around every screen.
import { isLanguage, useTranslation } from '@switchbell/i18n';
import { Toasts, UiProvider, type Theme } from '@switchbell/ui';
import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';

import { queryClient } from '../shared/query';
import { recall, sessionQuery } from '../shared/session';
import { router } from './router';

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <Themed />
    </QueryClientProvider>
  );
}

const isTheme = (value: unknown): value is Theme =>
  value === 'auto' || value === 'light' || value === 'dark';

function Themed() {
  const { data: me } = useQuery(sessionQuery);
  const { i18n } = useTranslation();
  const kept = recall('theme');
  const theme = me?.user.theme ?? (isTheme(kept) ? kept : 'auto');
  const language = isLanguage(i18n.language) ? i18n.language : 'en';
  return (
    <UiProvider theme={theme}>
      {/* Formats are made outside React: another language or zone draws everything anew. */}
      <RouterProvider key={`${language} ${me?.user.time_zone ?? ''}`} router={router} />
      <Toasts />
    </UiProvider>
  );
}
