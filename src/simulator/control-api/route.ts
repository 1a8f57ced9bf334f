import type { SimulatorControls } from "../controls/controls.ts";
import type { Answer } from "../http/answer.ts";

/** One call of the control API. */
export type ControlCall = {
  controls: SimulatorControls;
  /** What stands in the path for `ID`; empty where there is none. */
  phoneNumberId: string;
  /** What stands in the path for the last of its names; empty where there is none. */
  name: string;
  query: URLSearchParams;
  contentType: string;
  body: Buffer;
};

/** A call that there is: `ID` stands for a number's id, `NAME` for a name. */
export type Route = { method: string; path: RegExp; answer: (call: ControlCall) => Answer };

/** One row of the control API, with its path as the how-to writes it. */
export function route(method: string, path: string, answer: Route["answer"]): Route {
  const source = path.replace("ID", "(?<id>[^/]+)").replace("NAME", "(?<name>[^/]+)");
  return { method, path: new RegExp(`^/simulator${source}$`), answer };
}

/** Done, with nothing to tell. */
export const done: Answer = { status: 204, headers: {}, body: Buffer.alloc(0) };
