// Builds the desk into web/dist, which the server embeds.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The order in which style rules win; said again in every file, because any may come first. */
const layers = 'reset, mantine, tokens, base, components, utilities, custom';

/** Puts every CSS module into the `components` layer, so that the customer's own layer wins. */
const intoComponentsLayer = {
  postcssPlugin: 'switchbell-components-layer',
  OnceExit(root, { AtRule, result }) {
    if (!result.opts.from?.includes('.module.css')) return;
    const layer = new AtRule({ name: 'layer', params: 'components' });
    layer.append(root.nodes.slice());
    root.removeAll();
    root.append(new AtRule({ name: 'layer', params: layers }), layer);
  },
};

/**
 * Everything refers to its neighbours, only the page itself names them from the root: it is served
 * under every address. A server with a path of its own puts that path before `/assets/`.
 */
const pageFromTheRoot = {
  name: 'switchbell-page-from-the-root',
  transformIndexHtml: { order: 'post', handler: (html) => html.replaceAll('"./', '"/') },
};

export default defineConfig({
  base: './',
  plugins: [react(), pageFromTheRoot],
  css: { postcss: { plugins: [intoComponentsLayer] } },
  build: {
    outDir: '../../dist',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: {
    port: 5173,
    proxy: { '/api': { target: process.env.SWITCHBELL_API ?? 'http://127.0.0.1:8080', ws: true } },
  },
});
