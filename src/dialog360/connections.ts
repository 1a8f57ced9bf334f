import { Agent } from "undici";
import { ApiError } from "../errors.ts";
import { createConnector, HTTP_1_ONLY } from "./connector.ts";

/** Connections for calls of one kind. */
export type Connections = {
  agent: Agent;
  /**
   * Before a call; what it returns is called once or more often when the call is over.
   * @throws {ApiError} `overloaded` when every connection that the origin may have is taken
   */
  enter: (origin: string) => () => void;
};

/**
 * Up to `perOrigin` connections to each origin. What finds none free is refused rather than queued:
 * no deadline counts in undici's queue, and what waits there cannot be told from what was sent.
 */
export function openConnections(options: { perOrigin: number; timeoutMs: number }): Connections {
  const { perOrigin, timeoutMs } = options;
  const agent = new Agent({
    ...HTTP_1_ONLY,
    connections: perOrigin,
    // A send must never stand behind another on a connection that may die: which of them was
    // executed could not be told.
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: createConnector(),
  });
  const underWay = new Map<string, number>();
  return {
    agent,
    enter(origin) {
      const count = underWay.get(origin) ?? 0;
      if (count >= perOrigin) {
        throw new ApiError(
          "overloaded",
          `There are ${perOrigin} such calls to 360dialog under way; nothing was sent.`,
          { headers: { "retry-after": "1" } },
        );
      }
      underWay.set(origin, count + 1);
      let isOver = false;
      return () => {
        if (!isOver) {
          isOver = true;
          underWay.set(origin, (underWay.get(origin) ?? 1) - 1);
        }
      };
    },
  };
}
