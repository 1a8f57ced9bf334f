import type { BoundedLog } from "../bounded-log.ts";
import type { Fault, FaultScript } from "../http/fault.ts";
import type { RecordedRequest } from "../http/recorded-request.ts";
import type { Limiter } from "../messaging-api/limits/limiter.ts";
import type { Limits } from "../messaging-api/limits/limits.ts";

/** The calls that come in, what limits them, and what goes wrong with them. */
export type TrafficControls = {
  /** Lets the next fitting call of the Messaging API go wrong. Faults happen in the order given. */
  failNext: (fault: Fault) => void;
  listFaults: () => Fault[];
  clearFaults: () => void;
  /** Holds one number, or all that have no limits of their own, to these limits and no others. */
  setLimits: (limits: Limits, phoneNumberId?: string) => void;
  /** The Messaging API calls that came in, oldest first; the oldest go when it becomes too much. */
  readonly requests: readonly RecordedRequest[];
  clearRequests: () => void;
};

/** Binds these controls to the script of faults, the limits and the log of requests. */
export function createTrafficControls(parts: {
  faults: FaultScript;
  limiter: Limiter;
  requests: BoundedLog<RecordedRequest>;
}): TrafficControls {
  const { faults, limiter, requests } = parts;
  return {
    failNext: (fault) => faults.add(fault),
    listFaults: () => faults.faults,
    clearFaults: () => faults.clear(),
    setLimits: (limits, phoneNumberId) => limiter.set(limits, phoneNumberId),
    requests: requests.entries,
    clearRequests: () => requests.clear(),
  };
}
