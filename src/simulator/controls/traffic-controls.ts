import type { BoundedLog } from "../bounded-log.ts";
import type { Fault, FaultScript } from "../http/fault.ts";
import type { RecordedRequest } from "../http/recorded-request.ts";

/** The calls that come in, and what goes wrong with them. */
export type TrafficControls = {
  /** Lets the next fitting call of the Messaging API go wrong. Faults happen in the order given. */
  failNext: (fault: Fault) => void;
  listFaults: () => Fault[];
  clearFaults: () => void;
  /** The Messaging API calls that came in, oldest first; the oldest go when it becomes too much. */
  readonly requests: readonly RecordedRequest[];
  clearRequests: () => void;
};

/** Binds these controls to the script of faults and the log of requests. */
export function createTrafficControls(parts: {
  faults: FaultScript;
  requests: BoundedLog<RecordedRequest>;
}): TrafficControls {
  const { faults, requests } = parts;
  return {
    failNext: (fault) => faults.add(fault),
    listFaults: () => faults.faults,
    clearFaults: () => faults.clear(),
    requests: requests.entries,
    clearRequests: () => requests.clear(),
  };
}
