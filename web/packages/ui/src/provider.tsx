// Mantine with our tokens. Every variable lives in style sheets, so no <style> element is made at
// run time and `style-src 'self'` is enough.
import { createTheme, MantineProvider } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';

export type Theme = 'auto' | 'light' | 'dark';

const quick = { duration: 120 };

const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: 6,
  respectReducedMotion: true,
  cursorType: 'pointer',
  // By name, so that a component is fetched with the screen that uses it.
  components: {
    // The scroll lock of Mantine writes a <style> element; base.css locks the page instead.
    Modal: {
      defaultProps: {
        lockScroll: false,
        overlayProps: { backgroundOpacity: 0.4 },
        transitionProps: quick,
        centered: true,
      },
    },
    Drawer: {
      defaultProps: {
        lockScroll: false,
        overlayProps: { backgroundOpacity: 0.4 },
        transitionProps: quick,
        position: 'right',
        size: 520,
      },
    },
    Menu: {
      defaultProps: { shadow: 'md', transitionProps: quick, withinPortal: true },
    },
    Popover: { defaultProps: { shadow: 'md', transitionProps: quick } },
    Tooltip: {
      defaultProps: {
        openDelay: 300,
        transitionProps: quick,
        events: { hover: true, focus: true, touch: true },
        multiline: true,
      },
    },
    ModalRoot: { defaultProps: { lockScroll: false, transitionProps: quick } },
    Button: { defaultProps: { size: 'sm' } },
    Checkbox: { defaultProps: { size: 'sm' } },
    Loader: { defaultProps: { size: 'sm' } },
    InputWrapper: {
      defaultProps: { inputWrapperOrder: ['label', 'input', 'description', 'error'] },
    },
  },
});

const darkQuery = window.matchMedia('(prefers-color-scheme: dark)');

/** The scheme that is in force for a wish. */
function useScheme(wish: Theme): 'light' | 'dark' {
  const [dark, setDark] = useState(darkQuery.matches);
  useEffect(() => {
    const changed = () => setDark(darkQuery.matches);
    darkQuery.addEventListener('change', changed);
    return () => darkQuery.removeEventListener('change', changed);
  }, []);
  return wish === 'auto' ? (dark ? 'dark' : 'light') : wish;
}

export function UiProvider({ theme: wish, children }: { theme: Theme; children: ReactNode }) {
  const scheme = useScheme(wish);
  useEffect(() => {
    document.documentElement.dataset['theme'] = scheme;
  }, [scheme]);
  return (
    <MantineProvider
      theme={theme}
      // Mantine sets its default first, then what is forced: two schemes would be a flash.
      defaultColorScheme={scheme}
      forceColorScheme={scheme}
      withCssVariables={false}
      withGlobalClasses={false}
    >
      {children}
    </MantineProvider>
  );
}
