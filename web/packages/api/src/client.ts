// The one place where the page speaks HTTP to its server.
import { Problem, readProblem } from './problem';

/**
 * Address of the product, with a slash at the end: it may live under a path of its own, which is
 * where the folder of this script is. No `<base>` is needed, so the policy may forbid it.
 */
const script: string = import.meta.url; // kept apart: the bundler reads URLs made in place as files
export const home = new URL(import.meta.env.DEV ? '/' : '../', script);
const root = new URL('api/v1/', home);

type Query = Record<string, string | number | boolean | null | undefined>;

export function apiUrl(path: string, query?: Query): string {
  const url = new URL(path, root);
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '')
      url.searchParams.set(key, String(value));
  }
  return url.pathname + url.search;
}

export function liveUrl(): string {
  const url = new URL('live', root);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

let onSignedOut: () => void = () => {};

/** Called when an answer says that the session is over. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

/** A key under which the server runs a request once, however often it is sent. */
export function idempotencyKey(): string {
  // Not crypto.randomUUID: it is missing on plain http addresses.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export interface Options {
  query?: Query | undefined;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Makes a repeated request harmless. */
  once?: string | undefined;
  /** A 401 here is an answer about the form, not the end of the session. */
  signingIn?: boolean | undefined;
}

async function send<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  if (options.once !== undefined) headers['idempotency-key'] = options.once;
  let response: Response;
  try {
    response = await fetch(apiUrl(path, options.query), {
      method,
      headers,
      credentials: 'same-origin',
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem({ status: 0, code: 'network', detail: 'The server did not answer.' });
  }
  const body = await response.text();
  return finish<T>(response.status, body, options.signingIn ?? false);
}

function finish<T>(status: number, body: string, signingIn: boolean): T {
  if (status >= 200 && status < 300) return (body === '' ? undefined : JSON.parse(body)) as T;
  if (status === 401 && !signingIn) onSignedOut();
  throw readProblem(status, body);
}

export const http = {
  get: <T>(path: string, options?: Options) => send<T>('GET', path, options),
  post: <T>(path: string, options?: Options) => send<T>('POST', path, options),
  put: <T>(path: string, options?: Options) => send<T>('PUT', path, options),
  patch: <T>(path: string, options?: Options) => send<T>('PATCH', path, options),
  delete: <T>(path: string, options?: Options) => send<T>('DELETE', path, options),

  /** Sends a file as the raw body; `progress` gets the part that has left, 0 to 1. */
  upload<T>(
    path: string,
    file: File,
    options: { query?: Query; signal?: AbortSignal; progress?: (part: number) => void },
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const request = new XMLHttpRequest();
      const lost = () =>
        reject(new Problem({ status: 0, code: 'network', detail: 'The server did not answer.' }));
      request.open('POST', apiUrl(path, options.query));
      request.setRequestHeader('accept', 'application/json');
      request.setRequestHeader('content-type', 'application/octet-stream');
      request.upload.addEventListener('progress', (event) => {
        if (event.lengthComputable) options.progress?.(event.loaded / event.total);
      });
      request.addEventListener('load', () => {
        try {
          resolve(finish<T>(request.status, request.responseText, false));
        } catch (error) {
          reject(error);
        }
      });
      request.addEventListener('error', lost);
      request.addEventListener('timeout', lost);
      request.addEventListener('abort', () =>
        reject(new Problem({ status: 0, code: 'cancelled', detail: 'Cancelled.' })),
      );
      options.signal?.addEventListener('abort', () => request.abort());
      request.send(file);
    });
  },
};
