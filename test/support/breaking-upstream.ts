import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What an upstream does with one exchange: how much it takes or gives, and how it then hangs up. */
export type Plan = {
  /** After how many bytes of the request it hangs up; never, when absent. */
  takes?: number;
  /** What it answers to a whole request, and after how many bytes of that it hangs up. */
  answer: string;
  gives?: number;
  /** FIN, RST, or not at all. */
  end: "fin" | "rst" | "stays";
};

/** What came of it, told by the upstream itself. */
export type Seen = {
  bytes: number;
  wholeRequests: number;
  wholeAnswers: number;
  /** How many requests had come before over the connection that the last one came over. */
  before: number;
};

export type BreakingUpstream = {
  url: string;
  /** Until the first plan every connection is passed on to this address; then these end. */
  passTo(url: string): void;
  /** From now on: requests are the plan's, whichever connection they come over. */
  plan(plan: Plan): Seen;
  /** Hangs up on every connection that has had its answer. */
  hangUpOnIdle(end: "fin" | "rst"): void;
  stop(): Promise<void>;
};

/** An upstream that speaks bytes, so that it can break off anywhere. */
export async function startBreakingUpstream(): Promise<BreakingUpstream> {
  const sockets = new Set<Socket>();
  const idle = new Set<Socket>();
  let target = "";
  let current: { plan: Plan; seen: Seen } | undefined;

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // the gateway may hang up too
    socket.on("close", () => {
      sockets.delete(socket);
      idle.delete(socket);
    });
    if (current === undefined) {
      passOn(socket, target);
    } else {
      serve(socket);
    }
  });

  function serve(socket: Socket): void {
    let pending = "";
    let before = 0;
    let exchange = current;
    if (current?.plan.takes === 0) {
      hangUp(socket, current.plan.end);
    }
    socket.on("data", (chunk) => {
      if (pending === "") {
        exchange = current;
        idle.delete(socket);
      }
      if (exchange === undefined) {
        return;
      }
      const { plan, seen } = exchange;
      pending += chunk.toString("latin1");
      seen.bytes += chunk.length;
      seen.before = before;
      const whole = lengthOf(pending);
      if (whole !== undefined && pending.length >= whole) {
        seen.wholeRequests += 1;
        pending = pending.slice(whole);
        before += 1;
        if (plan.takes === undefined) {
          give(socket, plan, seen);
          return;
        }
      }
      if (plan.takes !== undefined && seen.bytes >= plan.takes) {
        hangUp(socket, plan.end);
      }
    });
  }

  function give(socket: Socket, plan: Plan, seen: Seen): void {
    const given = plan.answer.slice(0, plan.gives);
    seen.wholeAnswers += given === plan.answer ? 1 : 0;
    // Marked before it is written: whoever reads the answer may go on at once.
    idle.add(socket);
    socket.write(given, "latin1", () => hangUp(socket, plan.end));
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passTo(url) {
      target = url;
    },
    plan(plan) {
      if (current === undefined) {
        sockets.forEach((socket) => socket.destroy());
      }
      const seen = { bytes: 0, wholeRequests: 0, wholeAnswers: 0, before: 0 };
      current = { plan, seen };
      return seen;
    },
    hangUpOnIdle(end) {
      for (const socket of idle) {
        hangUp(socket, end);
      }
    },
    async stop() {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
      await once(server, "close");
    },
  };
}

function hangUp(socket: Socket, end: Plan["end"]): void {
  if (end === "fin") {
    socket.end();
  } else if (end === "rst") {
    socket.resetAndDestroy();
  }
}

/** How long the request at the beginning of `text` is; unknown before its head is whole. */
function lengthOf(text: string): number | undefined {
  const headEnd = text.indexOf("\r\n\r\n");
  return headEnd === -1
    ? undefined
    : headEnd + 4 + Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
}

function passOn(socket: Socket, url: string): void {
  const { hostname, port } = new URL(url);
  const onward = connect(Number(port), hostname);
  onward.on("error", () => socket.destroy());
  onward.on("close", () => socket.destroy());
  socket.on("close", () => onward.destroy());
  socket.pipe(onward).pipe(socket);
}
