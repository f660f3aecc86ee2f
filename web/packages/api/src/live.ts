// The one WebSocket: snapshots and numbered RFC 7386 merge patches per topic.
import { liveUrl } from './client';

export type LiveState = 'connecting' | 'open' | 'lost';

export interface LiveStatus {
  state: LiveState;
  /** When the next try starts (milliseconds since the epoch), while lost. */
  retryAt: number | null;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Topic {
  value: Json | undefined;
  seq: number;
  error: string | null;
  listeners: Set<() => void>;
}

/** RFC 7386. Parts that do not change keep their identity, so that pages redraw only what moved. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const base =
    target !== null && typeof target === 'object' && !Array.isArray(target) ? target : {};
  const result: { [key: string]: Json } = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

const firstDelay = 1_000;
const longestDelay = 20_000;

export class Live {
  private socket: WebSocket | null = null;
  private topics = new Map<string, Topic>();
  private delay = firstDelay;
  private timer: number | undefined;
  private wanted = false;
  private status: LiveStatus = { state: 'connecting', retryAt: null };
  private statusListeners = new Set<() => void>();

  /** Connects and stays connected until `stop`. */
  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    window.addEventListener('online', this.retryNow);
    this.connect();
  }

  stop(): void {
    this.wanted = false;
    window.removeEventListener('online', this.retryNow);
    window.clearTimeout(this.timer);
    this.socket?.close();
    this.socket = null;
    this.topics.clear();
  }

  retryNow = (): void => {
    if (!this.wanted || this.socket !== null) return;
    window.clearTimeout(this.timer);
    this.connect();
  };

  getStatus = (): LiveStatus => this.status;

  onStatus = (listener: () => void): (() => void) => {
    this.statusListeners.add(listener);
    return () => this.statusListeners.delete(listener);
  };

  value(name: string): unknown {
    return this.topics.get(name)?.value;
  }

  error(name: string): string | null {
    return this.topics.get(name)?.error ?? null;
  }

  subscribe(name: string, listener: () => void): () => void {
    let topic = this.topics.get(name);
    if (topic === undefined) {
      topic = { value: undefined, seq: -1, error: null, listeners: new Set() };
      this.topics.set(name, topic);
      this.say({ subscribe: name });
    }
    const kept = topic;
    kept.listeners.add(listener);
    return () => {
      kept.listeners.delete(listener);
      // The next screen often wants the same topic in the same moment: leave it a breath.
      window.setTimeout(() => {
        if (kept.listeners.size > 0 || this.topics.get(name) !== kept) return;
        this.topics.delete(name);
        this.say({ unsubscribe: name });
      }, 500);
    };
  }

  private connect(): void {
    const socket = new WebSocket(liveUrl());
    this.socket = socket;
    socket.addEventListener('open', () => {
      this.delay = firstDelay;
      this.setStatus({ state: 'open', retryAt: null });
      for (const [name, topic] of this.topics) {
        topic.seq = -1;
        this.say({ subscribe: name });
      }
    });
    socket.addEventListener('message', (event) => this.hear(String(event.data)));
    socket.addEventListener('close', () => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (!this.wanted) return;
      // Spread over half a second, so that a restarted server is not met by everybody at once.
      const wait = this.delay + Math.random() * 500;
      this.delay = Math.min(this.delay * 2, longestDelay);
      this.setStatus({ state: 'lost', retryAt: Date.now() + wait });
      this.timer = window.setTimeout(() => this.connect(), wait);
    });
  }

  private hear(text: string): void {
    const message = JSON.parse(text) as {
      topic?: string;
      seq?: number;
      snapshot?: Json;
      patch?: Json;
      error?: string;
    };
    const topic = message.topic === undefined ? undefined : this.topics.get(message.topic);
    if (topic === undefined || message.topic === undefined) return;
    if (message.error !== undefined) {
      topic.error = message.error;
    } else if (message.snapshot !== undefined) {
      topic.error = null;
      topic.value = message.snapshot;
      topic.seq = message.seq ?? 0;
    } else if (message.patch !== undefined) {
      if (topic.seq < 0) return;
      if (message.seq !== topic.seq + 1) {
        // A gap: only a new snapshot is certain.
        topic.seq = -1;
        this.say({ unsubscribe: message.topic });
        this.say({ subscribe: message.topic });
        return;
      }
      topic.seq = message.seq;
      topic.value = mergePatch(topic.value, message.patch);
    }
    for (const listener of topic.listeners) listener();
  }

  private say(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private setStatus(status: LiveStatus): void {
    this.status = status;
    for (const listener of this.statusListeners) listener();
  }
}
