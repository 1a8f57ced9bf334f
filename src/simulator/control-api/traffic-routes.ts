import type { Answer } from "../http/answer.ts";
import { objectBody } from "./input.ts";
import { jsonAnswer } from "./json-answer.ts";
import { parseFault } from "./parse-fault.ts";
import { presentFault, presentRequest } from "./present.ts";
import { type ControlCall, done, route } from "./route.ts";

function listFaults({ controls }: ControlCall, status: number): Answer {
  return jsonAnswer(status, { faults: controls.listFaults().map(presentFault) });
}

function addFault(call: ControlCall): Answer {
  call.controls.failNext(parseFault(objectBody(call.body)));
  return listFaults(call, 201);
}

/** The calls that come in, and what goes wrong with them. */
export const TRAFFIC_ROUTES = [
  route("GET", "/faults", (call) => listFaults(call, 200)),
  route("POST", "/faults", addFault),
  route("DELETE", "/faults", ({ controls }) => {
    controls.clearFaults();
    return done;
  }),
  route("GET", "/requests", ({ controls }) =>
    jsonAnswer(200, { requests: controls.requests.map(presentRequest) }),
  ),
  route("DELETE", "/requests", ({ controls }) => {
    controls.clearRequests();
    return done;
  }),
];
