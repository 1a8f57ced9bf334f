import { buildConnector } from "undici";

const CONNECT_TIMEOUT_MS = 5000;

/**
 * HTTP/1.1 only: over HTTP/2 undici sends again by itself what a GOAWAY or a REFUSED_STREAM says
 * was not executed, and whether a send may go twice is not for the far side to say.
 */
export const HTTP_1_ONLY = { allowH2: false } as const;

/** Opens connections to 360dialog. */
export function createConnector(): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, ...HTTP_1_ONLY });
  return (options, callback) => {
    connect(options, (...made) => {
      made[1]?.on("error", tellAsBroken);
      callback(...made);
    });
  };
}

/**
 * undici takes a reset (by its code) for the proper end of an answer that has no length of its own.
 * It is the end of a connection that broke, and half an answer must not pass for a whole one.
 */
function tellAsBroken(error: NodeJS.ErrnoException): void {
  if (error.code === "ECONNRESET") {
    error.code = "UPSTREAM_RESET";
  }
}
