import type { Answer } from "../../http/answer.ts";
import { pathFits } from "../../http/path-pattern.ts";
import type { MetaError } from "../answers/meta-errors.ts";
import { endpointLimitError } from "../answers/own-answer.ts";
import { Paces, SlidingWindows } from "./counters.ts";
import type { Limits, LimitStatus } from "./limits.ts";

const SECOND_MS = 1_000;

const throughputReached = (status: LimitStatus): MetaError => ({
  status,
  code: 130429,
  message: "Rate limit hit",
  details: "Cloud API message throughput has been reached.",
});

const pairLimitReached = (status: LimitStatus): MetaError => ({
  status,
  code: 131056,
  message: "(Business Account, Consumer Account) pair rate limit hit",
  details:
    "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time.",
});

/** Holds numbers to limits that can be changed at any time. */
export class Limiter {
  #forAll: Limits;
  readonly #byNumber = new Map<string, Limits>();
  #windows = new SlidingWindows(SECOND_MS);
  #paces = new Paces();

  constructor(limits: Limits) {
    this.#forAll = limits;
  }

  /** Sets the limits of one number, or of all that have none of their own; counts anew. */
  set(limits: Limits, phoneNumberId?: string): void {
    if (phoneNumberId === undefined) {
      this.#forAll = limits;
    } else {
      this.#byNumber.set(phoneNumberId, limits);
    }
    this.#windows = new SlidingWindows(SECOND_MS);
    this.#paces = new Paces();
  }

  /** What 360dialog itself answers to a call too many. */
  refuseCall(input: {
    phoneNumberId: string;
    method: string;
    path: string;
    nowMs: number;
  }): Answer | undefined {
    const { phoneNumberId, method, path, nowMs } = input;
    const { endpoint, uploads } = this.#limitsOf(phoneNumberId);
    const isOver = (name: string, perSecond: number) =>
      !this.#windows.take(`${name} ${phoneNumberId}`, perSecond, nowMs);
    if (
      endpoint !== undefined &&
      pathFits(endpoint.path, path) &&
      isOver("endpoint", endpoint.perSecond)
    ) {
      return endpointLimitError(endpoint.form);
    }
    const isUpload = method === "POST" && path === "/media";
    return uploads !== undefined && isUpload && isOver("uploads", uploads.perSecond)
      ? endpointLimitError(uploads.form)
      : undefined;
  }

  /** What Meta answers to a send too many. */
  refuseSend(input: { phoneNumberId: string; user: string; nowMs: number }): MetaError | undefined {
    const { phoneNumberId, user, nowMs } = input;
    const { throughput, pair } = this.#limitsOf(phoneNumberId);
    if (
      throughput !== undefined &&
      !this.#windows.take(`throughput ${phoneNumberId}`, throughput.perSecond, nowMs)
    ) {
      return throughputReached(throughput.status);
    }
    return pair !== undefined && !this.#paces.take(`${phoneNumberId} ${user}`, pair, nowMs)
      ? pairLimitReached(pair.status)
      : undefined;
  }

  #limitsOf(phoneNumberId: string): Limits {
    return this.#byNumber.get(phoneNumberId) ?? this.#forAll;
  }
}
