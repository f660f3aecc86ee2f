// An answer of the server that says no: RFC 9457 with a stable code.
import type { FieldProblem, Params } from './types';

export class Problem extends Error {
  readonly status: number;
  /** The stable code; `network` when no answer came, `unknown` when it was not a problem document. */
  readonly code: string;
  readonly params: Params;
  readonly errors: FieldProblem[];
  /** English of the server, shown when the page does not know the code. */
  readonly detail: string;
  /** What a person can give to support. */
  readonly reference: string | null;

  constructor(from: {
    status: number;
    code: string;
    detail?: string | undefined;
    params?: Params | undefined;
    errors?: FieldProblem[] | undefined;
    reference?: string | null | undefined;
  }) {
    super(from.detail ?? from.code);
    this.name = 'Problem';
    this.status = from.status;
    this.code = from.code;
    this.detail = from.detail ?? '';
    this.params = from.params ?? {};
    this.errors = from.errors ?? [];
    this.reference = from.reference ?? null;
  }
}

interface ProblemDocument {
  code?: unknown;
  title?: unknown;
  detail?: unknown;
  params?: Params;
  errors?: FieldProblem[];
  trace_id?: string;
  instance?: string;
}

/** Reads the body of a refused request. */
export function readProblem(status: number, body: string): Problem {
  let document: ProblemDocument = {};
  try {
    const value: unknown = JSON.parse(body);
    if (value !== null && typeof value === 'object') document = value;
  } catch {
    // Not a problem document (a proxy's page, for instance): the status has to do.
  }
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return new Problem({
    status,
    // A proxy whose server is away answers in its place.
    code: text(document.code) ?? (status === 502 || status === 504 ? 'network' : 'unknown'),
    detail: text(document.detail) ?? text(document.title),
    params: document.params,
    errors: document.errors,
    reference: document.trace_id ?? document.instance,
  });
}

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem({ status: 0, code: 'unknown', detail: String(error) });
}
