// The typed client of /api/v1 and of the live topics.
export * from './types';
export { asProblem, Problem, readProblem } from './problem';
export { apiUrl, home, idempotencyKey, whenSignedOut } from './client';
export {
  campaigns,
  certificate,
  contacts,
  demo,
  people,
  presets,
  system,
  voice,
  type AttemptFilter,
  type CampaignFilter,
} from './endpoints';
export { Live, mergePatch, type LiveState, type LiveStatus } from './live';
