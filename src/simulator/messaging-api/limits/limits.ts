import type { OwnErrorForm } from "../answers/own-answer.ts";

/** The statuses with which Meta's limits have been seen. */
export const LIMIT_STATUSES = [400, 403, 429] as const;

export type LimitStatus = (typeof LIMIT_STATUSES)[number];

/** What is limited, counted for each number by itself; what is left out has no limit. */
export type Limits = {
  /** Sends of a number; beyond it Meta's 130429. */
  throughput?: { perSecond: number; status: LimitStatus };
  /** Sends of a number to one user; beyond it Meta's 131056. */
  pair?: { everyMs: number; burst: number; status: LimitStatus };
  /** 360dialog's own limit on a path, where `*` at its end stands for any rest. */
  endpoint?: { perSecond: number; path: string; form: OwnErrorForm };
  /** `POST /media`; beyond it 360dialog's own error. */
  uploads?: { perSecond: number; form: OwnErrorForm };
};
