import { ApiError } from "../../errors.ts";

/** 360dialog's limit of registration requests for one number, and of the block that follows. */
export const SLOTS_MAX = 10;
export const WINDOW_MS = 72 * 3_600_000;

export type Standing = {
  /** Slots that could be taken now, one after the other. */
  left: number;
  /** When one can be taken; `now` where one can be taken at once. */
  nextFreeAt: Date;
};

/**
 * What may be registered at `now`. A registration counts from its moment until just before 72 hours
 * later: any 72 hours hold ten at most.
 * `newestAt`: the times of the number's newest registrations, newest first, at least ten if there are.
 */
export function judgeStanding(options: {
  newestAt: readonly Date[];
  blockedUntil: Date | null;
  now: Date;
}): Standing {
  const { newestAt, blockedUntil, now } = options;
  const counting = newestAt.filter((at) => at.getTime() > now.getTime() - WINDOW_MS);
  const tenth = counting[SLOTS_MAX - 1];
  const freeMs = [
    now.getTime(),
    ...(tenth === undefined ? [] : [tenth.getTime() + WINDOW_MS]),
    ...(blockedUntil === null ? [] : [blockedUntil.getTime()]),
  ];
  const nextFreeAt = new Date(Math.max(...freeMs));
  return { left: nextFreeAt > now ? 0 : SLOTS_MAX - counting.length, nextFreeAt };
}

/** 429 with the moment at which it is worth coming again. */
export class RegistrationLimit extends ApiError {
  override readonly name = "RegistrationLimit";

  constructor({ nextFreeAt }: Standing, now: Date) {
    const retryAfter = Math.ceil((nextFreeAt.getTime() - now.getTime()) / 1000);
    super(
      "registration_limit",
      `360dialog takes ${SLOTS_MAX} registrations of a number in 72 hours; the next is free at ${nextFreeAt.toISOString()}.`,
      {
        headers: { "retry-after": String(retryAfter) },
        members: { next_free_at: nextFreeAt.toISOString() },
      },
    );
  }
}
