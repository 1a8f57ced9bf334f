import type { Answer } from "../http/answer.ts";
import { objectBody } from "./input.ts";
import { jsonAnswer } from "./json-answer.ts";
import { parseFault } from "./parse-fault.ts";
import { parseLimits } from "./parse-limits.ts";
import { presentFault, presentRequest } from "./present.ts";
import { type ControlCall, done, route } from "./route.ts";

function listFaults({ controls }: ControlCall, status: number): Answer {
  return jsonAnswer(status, { faults: controls.listFaults().map(presentFault) });
}

function addFault(call: ControlCall): Answer {
  call.controls.failNext(parseFault(objectBody(call.body)));
  return listFaults(call, 201);
}

function setLimits({ controls, phoneNumberId, body }: ControlCall): Answer {
  const limits = parseLimits(objectBody(body));
  if (phoneNumberId === "") {
    controls.setLimits(limits);
  } else {
    controls.setLimits(limits, controls.getNumber(phoneNumberId).phoneNumberId);
  }
  return done;
}

/** The calls that come in, what limits them, and what goes wrong with them. */
export const TRAFFIC_ROUTES = [
  route("GET", "/faults", (call) => listFaults(call, 200)),
  route("POST", "/faults", addFault),
  route("DELETE", "/faults", ({ controls }) => {
    controls.clearFaults();
    return done;
  }),
  route("PUT", "/limits", setLimits),
  route("PUT", "/numbers/ID/limits", setLimits),
  route("GET", "/requests", ({ controls }) =>
    jsonAnswer(200, { requests: controls.requests.map(presentRequest) }),
  ),
  route("DELETE", "/requests", ({ controls }) => {
    controls.clearRequests();
    return done;
  }),
];
