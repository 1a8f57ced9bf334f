/** What a client says over a connection, and how far its server is (PostgreSQL manual, chapter 54). */
export type Heard =
  | { kind: "statement"; text: string }
  /** The client asks for an answer to what it said; so many bytes came together with it, and after it. */
  | { kind: "ask"; bytesAfter: number }
  /** The server waits for the next one; `idle` means that nothing is left uncommitted. */
  | { kind: "ready"; idle: boolean };

/** Cuts one direction's bytes into messages. */
function createMessages(
  onMessage: (type: string, body: Buffer, bytesAfter: number) => void,
  startup: boolean,
) {
  let rest: Buffer = Buffer.alloc(0);
  let untyped = startup;
  return (chunk: Buffer): void => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      // A connection's first message has no type.
      const head = untyped ? 0 : 1;
      if (rest.length < head + 4) {
        return;
      }
      const end = head + rest.readUInt32BE(head);
      if (rest.length < end) {
        return;
      }
      if (!untyped) {
        onMessage(String.fromCharCode(rest[0] ?? 0), rest.subarray(5, end), rest.length - end);
      }
      untyped = false;
      rest = rest.subarray(end);
    }
  };
}

export function listenToClient(hear: (heard: Heard) => void): (chunk: Buffer) => void {
  const prepared = new Map<string, string>();
  return createMessages((type, body, bytesAfter) => {
    switch (type) {
      case "Q":
        hear({ kind: "statement", text: textAt(body, 0).text });
        hear({ kind: "ask", bytesAfter });
        return;
      case "S":
        hear({ kind: "ask", bytesAfter });
        return;
      case "P": {
        const { text: name, next } = textAt(body, 0);
        prepared.set(name, textAt(body, next).text);
        return;
      }
      case "B": {
        const { next } = textAt(body, 0);
        hear({ kind: "statement", text: prepared.get(textAt(body, next).text) ?? "" });
        return;
      }
      default:
    }
  }, true);
}

export function listenToServer(hear: (heard: Heard) => void): (chunk: Buffer) => void {
  return createMessages((type, body) => {
    if (type === "Z") {
      hear({ kind: "ready", idle: body[0] === "I".charCodeAt(0) });
    }
  }, false);
}

function textAt(body: Buffer, start: number): { text: string; next: number } {
  const end = body.indexOf(0, start);
  return { text: body.toString("utf8", start, end), next: end + 1 };
}
